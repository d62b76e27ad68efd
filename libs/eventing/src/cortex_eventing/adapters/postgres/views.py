"""Station 8: reading read models, one project at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from cortex_eventing.adapters.postgres.connections import CONNECT_WITHIN, GONE
from cortex_eventing.errors import Unavailable

CONNECTIONS = 8
"""At most this many queries of a process run at once; more wait their turn."""

TURN_WITHIN = 2.0
"""Seconds a query waits for a connection before it is told that the database is away."""

QUERY_WITHIN = 10.0
"""Seconds one use may take."""


class Views:
    """The read models of a service, for its queries.

        async with Views(reader_dsn) as views:
            async with views.project(project_id) as connection:
                rows = await connection.execute("SELECT ... FROM sessions WHERE session_id = %s", [session_id])

    Row-level security shows the rows of that project only, whatever the query says. PostgreSQL may be away at the start
    and later: then `project` raises Unavailable.

    Args:
        dsn: to the service's database, as its reader.
        connections: most queries at once.
    """

    def __init__(self, dsn: str, connections: int = CONNECTIONS) -> None:
        self._pool = AsyncConnectionPool(
            dsn,
            min_size=1,
            max_size=connections,
            open=False,
            timeout=TURN_WITHIN,
            check=AsyncConnectionPool.check_connection,
            kwargs={"connect_timeout": CONNECT_WITHIN, "application_name": "cortex-views", "autocommit": True},
        )

    async def __aenter__(self) -> Self:
        await self._pool.open(wait=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def project(self, project_id: str) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction that sees one project's rows; all its statements see the same moment.

        Args:
            project_id: canonical text of a project that the caller may see.

        Raises:
            Unavailable: the database is away, or too many queries wait.
        """
        try:
            async with asyncio.timeout(QUERY_WITHIN), self._pool.connection() as connection, connection.transaction():
                await connection.execute("SELECT set_config('cortex.project', %s, true)", [project_id])
                yield connection
        except (*GONE, PoolTimeout, TimeoutError) as error:
            raise Unavailable("PostgreSQL") from error
