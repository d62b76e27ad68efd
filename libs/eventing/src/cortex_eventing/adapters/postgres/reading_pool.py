"""A few connections for reading on the loop, opened when needed."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, LiteralString

import psycopg

from cortex_eventing.adapters.postgres.connections import GONE, BoundedAsyncConnection, connect_async
from cortex_eventing.errors import Unavailable

MOST_CONNECTIONS = 4
"""Feed, relay, rebuild and the loading of aggregates side by side; reads take the loop's time, not the server's."""


AWAY_FOR = 0.05
"""Seconds before a caller learns that the server is away. A refused connection fails without ever giving up the loop:
whoever asks again at once would otherwise starve everything else in the process."""

Parameters = Sequence[Any] | Mapping[str, Any]


class ReadingPool:
    """Runs statements on the loop, each on a connection of its own, with binary rows as tuples.

    Args:
        dsn: to the service's database, as its writer.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._permits = asyncio.Semaphore(MOST_CONNECTIONS)
        self._idle: list[BoundedAsyncConnection] = []

    async def fetch(self, statement: LiteralString, parameters: Parameters) -> list[tuple[Any, ...]]:
        """The rows of one statement.

        Raises:
            Unavailable: the server is away or does not answer.
        """
        try:
            async with self._permits:
                return await self._fetch(statement, parameters)
        except GONE as error:
            await asyncio.sleep(AWAY_FOR)
            raise Unavailable("PostgreSQL") from error

    async def close(self) -> None:
        """Close what is idle; nothing is in use by then."""
        while self._idle:
            await _close(self._idle.pop())

    async def _fetch(self, statement: LiteralString, parameters: Parameters) -> list[tuple[Any, ...]]:
        if self._idle:
            try:
                return await self._on(self._idle.pop(), statement, parameters)
            except GONE:
                # The server may have restarted since it was used last: then the others are no better.
                await self.close()
        return await self._on(await connect_async(self._dsn, "cortex-store-reader"), statement, parameters)

    async def _on(
        self, connection: BoundedAsyncConnection, statement: LiteralString, parameters: Parameters
    ) -> list[tuple[Any, ...]]:
        try:
            async with connection.cursor(binary=True) as cursor:
                await cursor.execute(statement, parameters, prepare=True)
                rows = await cursor.fetchall()
        except BaseException:
            await _close(connection)
            raise
        self._idle.append(connection)
        return rows


async def _close(connection: BoundedAsyncConnection) -> None:
    with suppress(psycopg.Error):
        await connection.close()
