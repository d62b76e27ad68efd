"""Forgetting requests that nobody repeats any more."""

import asyncio
from datetime import datetime, timedelta
from typing import NoReturn, Protocol

from cortex_eventing.clock import Clock
from cortex_eventing.role_state import Report

KEPT = timedelta(days=7)
"""How long a repeat is recognised: longer than any caller, reaction or dead queue tries again."""

EVERY = 3600.0
"""Seconds between two looks; the rows of an hour are few beside those of a week."""

AT_ONCE = 100_000
"""Requests forgotten in one call, a tenth of a second: however many wait, no call takes as long as a statement may."""


class Requests(Protocol):
    """The request rows of an event store."""

    async def purge_requests(self, older_than: datetime, most: int) -> int:
        """Forget requests recorded before a time, at most so many; says how many."""
        ...


class RequestPurge:
    """The role that forgets old requests."""

    def __init__(self, store: Requests, clock: Clock, every: float = EVERY) -> None:
        self._store = store
        self._clock = clock
        self._every = every

    async def run(self, report: Report) -> NoReturn:
        """Forget for ever.

        Raises:
            Unavailable: the database is away.
        """
        while True:
            while await self._store.purge_requests(self._clock.now() - KEPT, AT_ONCE) == AT_ONCE:
                report.working()
            report.working()
            await asyncio.sleep(self._every)
