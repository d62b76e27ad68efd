"""Ticks when something was stored: one connection that listens for all who ask, with a poll as the floor."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress

import psycopg

from cortex_eventing.adapters.postgres.connections import GONE, BoundedAsyncConnection, connect_async
from cortex_eventing.backoff import waits
from cortex_eventing.waking import Alarmclock

CHANNEL = "stored_events"
LISTEN_FOR = 2.0
"""Seconds between two questions whether the connection still lives; one that is closed is noticed at once."""


class Listener:
    """Listens for `NOTIFY stored_events`. A NOTIFY is a hint and may be missed, so every ticker ticks by itself too.

    Args:
        dsn: to the service's database; not through a pooler that shares sessions.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._clocks: set[Alarmclock] = set()

    @asynccontextmanager
    async def ticks(self) -> AsyncIterator[AsyncIterator[None]]:
        """Ticks at once, whenever something was stored, and every POLL seconds."""
        clock = Alarmclock()
        clock.ring()
        self._clocks.add(clock)
        try:
            async with aclosing(_ticking(clock)) as ticking:
                yield ticking
        finally:
            self._clocks.discard(clock)

    async def run(self) -> None:
        """Listen for ever, again after every loss of the connection."""
        backoff = waits()
        while True:
            with suppress(*GONE):
                connection = await connect_async(self._dsn, "cortex-store-listener")
                backoff = waits()
                try:
                    await self._listen(connection)
                finally:
                    with suppress(psycopg.Error):
                        await connection.close()
            await asyncio.sleep(next(backoff))

    async def _listen(self, connection: BoundedAsyncConnection) -> None:
        await connection.execute(f"LISTEN {CHANNEL}")
        # What was stored before the LISTEN took effect was announced to nobody here.
        self._ring()
        while True:
            async with aclosing(connection.notifies(timeout=LISTEN_FOR)) as notifications:
                async for _ in notifications:
                    self._ring()
            await connection.execute("SELECT 1")

    def _ring(self) -> None:
        for clock in self._clocks:
            clock.ring()


async def _ticking(clock: Alarmclock) -> AsyncGenerator[None, None]:
    while True:
        await clock.sleep()
        yield
