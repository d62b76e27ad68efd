"""A connection that is opened when it is needed, and again after it broke."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus

from cortex_eventing.errors import Unavailable

CONNECT_WITHIN = 3
"""Seconds."""
ANSWER_WITHIN = 10.0
"""Seconds for one use of the connection. A peer that fell silent would otherwise hold its caller for ever."""

_NOTICE_DEATH: dict[str, Any] = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,
}

AWAY = (psycopg.OperationalError, psycopg.InterfaceError)
"""Errors that say nothing about the statement: the server is away, is shutting down, or is out of something."""


async def connect(dsn: str, name: str) -> AsyncConnection:
    """A connection in autocommit. Raises Unavailable."""
    try:
        async with asyncio.timeout(CONNECT_WITHIN + 1):
            return await AsyncConnection.connect(
                dsn, autocommit=True, connect_timeout=CONNECT_WITHIN, application_name=name, **_NOTICE_DEATH
            )
    except (*AWAY, TimeoutError) as error:
        raise Unavailable("PostgreSQL") from error


class Link:
    """One connection in autocommit, used by one task at a time.

    Args:
        dsn: where to.
        name: what the server's list of sessions shows.
    """

    def __init__(self, dsn: str, name: str) -> None:
        self._dsn = dsn
        self._name = name
        self._connection: AsyncConnection | None = None
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def use(self, seconds: float = ANSWER_WITHIN) -> AsyncIterator[AsyncConnection]:
        """The connection, for the body alone.

        Raises:
            Unavailable: the server is away, or does not answer in time.
        """
        async with self._turn:
            if self._connection is None or self._connection.closed:
                self._connection = await connect(self._dsn, self._name)
            connection = self._connection
            try:
                async with asyncio.timeout(seconds):
                    yield connection
            except (*AWAY, TimeoutError) as error:
                await self._drop()
                raise Unavailable("PostgreSQL") from error
            finally:
                if connection.info.transaction_status is not TransactionStatus.IDLE:
                    await self._drop()

    async def close(self) -> None:
        """Close the connection; the next use opens another."""
        await self._drop()

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                await connection.close()
