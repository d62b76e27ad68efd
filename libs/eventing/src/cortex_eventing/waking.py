"""Being woken when events were stored, with a poll as the floor: a tick may be missing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from cortex_eventing.cancelling import cancel_until_ended
from cortex_eventing.errors import Unavailable

POLL = 0.25
"""Seconds after which the store is looked at without a tick: what a lost NOTIFY costs at most."""

Changes = Callable[[], AbstractAsyncContextManager[AsyncIterator[None]]]
"""Opens a source of ticks: `EventStore.changes`."""


class Alarmclock:
    """Sleeps until something was stored, or for a while."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Something may have been stored."""
        self._rung.set()

    async def sleep(self, seconds: float = POLL) -> None:
        """Sleep until the next ring, at most `seconds`. A ring before the sleep counts."""
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return
        self._rung.clear()


@asynccontextmanager
async def woken_by(changes: Changes | None) -> AsyncIterator[Alarmclock]:
    """An alarm clock that ticks ring. When their source is away it is opened again; the poll bridges the time."""
    clock = Alarmclock()
    if changes is None:
        yield clock
        return
    ringing = asyncio.create_task(_ring(clock, changes), name="ticks")
    try:
        yield clock
    finally:
        await cancel_until_ended(ringing)


async def _ring(clock: Alarmclock, changes: Changes) -> None:
    while True:
        try:
            async with changes() as ticks:
                async for _ in ticks:
                    clock.ring()
        except Unavailable:
            pass
        await asyncio.sleep(POLL)
