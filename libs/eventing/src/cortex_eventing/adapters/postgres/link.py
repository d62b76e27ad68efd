"""A connection that is opened when it is needed, and again after it broke."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import psycopg
from psycopg.pq import TransactionStatus

from cortex_eventing.adapters.postgres.connections import GONE, BoundedAsyncConnection, connect_async
from cortex_eventing.errors import Unavailable


class Link:
    """One connection in autocommit, used by one task at a time.

    Args:
        dsn: where to.
        name: what the server's list of sessions shows.
    """

    def __init__(self, dsn: str, name: str) -> None:
        self._dsn = dsn
        self._name = name
        self._connection: BoundedAsyncConnection | None = None
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def use(self) -> AsyncIterator[BoundedAsyncConnection]:
        """The connection, for the body alone.

        Raises:
            Unavailable: the server is away, or does not answer in time.
        """
        async with self._turn:
            try:
                if self._connection is None or self._connection.closed:
                    self._connection = await connect_async(self._dsn, self._name)
                yield self._connection
            except GONE as error:
                await self._drop()
                raise Unavailable("PostgreSQL") from error
            finally:
                await self._drop_unless_idle()

    async def close(self) -> None:
        """Close the connection; the next use opens another."""
        await self._drop()

    async def _drop_unless_idle(self) -> None:
        """A body that was cancelled may have left a statement unfinished."""
        if self._connection is not None and self._connection.info.transaction_status is not TransactionStatus.IDLE:
            await self._drop()

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                await connection.close()


@asynccontextmanager
async def linked(dsn: str, name: str) -> AsyncIterator[Link]:
    """A link for as long as the context lasts."""
    link = Link(dsn, name)
    try:
        yield link
    finally:
        await link.close()
