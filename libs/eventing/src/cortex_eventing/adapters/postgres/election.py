"""An election by advisory lock, held by one connection of its own: whoever loses the connection loses the seat."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress

import psycopg

from cortex_eventing.adapters.postgres.connections import GONE, BoundedAsyncConnection, connect_async
from cortex_eventing.cancelling import cancel_until_ended
from cortex_eventing.errors import Unavailable

ASK_EVERY = 0.5
"""Seconds between two attempts to take the seat: how long it may stay empty after its holder's death was noticed."""

LISTEN_FOR = 2.0
"""Seconds between two questions whether the connection still lives; one that is closed is noticed at once."""

ANSWER_WITHIN = 2.0
"""Seconds for the answer. With LISTEN_FOR it bounds how long a loser goes on unknowingly: 4 s."""


class PostgresElection:
    """A seat that one replica of a service holds at a time.

    Args:
        dsn: to the service's database, as its writer; not through a pooler that shares sessions.
        seat: what is contested, for example `session`.
    """

    def __init__(self, dsn: str, seat: str) -> None:
        self._dsn = dsn
        self._seat = seat
        self._key = int.from_bytes(hashlib.sha256(f"cortex seat {seat}".encode()).digest()[:8], "big", signed=True)

    async def lead(self, elected: Callable[[], Awaitable[None]]) -> None:
        """See `Election`."""
        connection = None
        try:
            connection = await connect_async(self._dsn, f"cortex-seat-{self._seat}")
            await self._take_seat(connection)
        except GONE as error:
            raise Unavailable("PostgreSQL") from error
        else:
            await self._while_seated(connection, elected)
        finally:
            if connection is not None:
                with suppress(psycopg.Error):
                    await connection.close()

    async def _take_seat(self, connection: BoundedAsyncConnection) -> None:
        while True:
            answer = await connection.execute("SELECT pg_try_advisory_lock(%s::bigint)", [self._key])
            row = await answer.fetchone()
            if row and row[0]:
                return
            await asyncio.sleep(ASK_EVERY)

    async def _while_seated(self, connection: BoundedAsyncConnection, elected: Callable[[], Awaitable[None]]) -> None:
        """Run the work until it fails or the seat is lost, whatever comes first."""
        work = asyncio.ensure_future(elected())
        guard = asyncio.create_task(self._until_lost(connection), name="seat")
        try:
            await asyncio.wait({work, guard}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                await work
        finally:
            await cancel_until_ended(work, guard)

    async def _until_lost(self, connection: BoundedAsyncConnection) -> None:
        with suppress(*GONE, TimeoutError):
            while True:
                async with aclosing(connection.notifies(timeout=LISTEN_FOR)) as notifications:
                    async for _ in notifications:
                        pass
                async with asyncio.timeout(ANSWER_WITHIN):
                    await connection.execute("SELECT 1")
