import asyncio
from datetime import datetime, timedelta

import pytest
from cortex_eventing.cancelling import cancel_until_ended
from cortex_eventing.request_purge import AT_ONCE, KEPT, RequestPurge
from cortex_eventing.role_state import Report
from cortex_testkit.clock import NOON, FrozenClock

pytestmark = pytest.mark.unit


class Requests:
    """Notes what is forgotten, and moves the clock on."""

    def __init__(self, clock: FrozenClock, there: int = 0) -> None:
        self._clock = clock
        self.there = there
        self.forgotten: list[datetime] = []
        self.twice = asyncio.Event()

    async def purge_requests(self, older_than: datetime, most: int) -> int:
        self.forgotten.append(older_than)
        self._clock.advance(timedelta(hours=1))
        if len(self.forgotten) == 2:
            self.twice.set()
        gone = min(self.there, most)
        self.there -= gone
        return gone


async def test_what_is_older_than_a_week_is_forgotten_again_and_again() -> None:
    """At the start and from time to time, counted from the moment of each look."""
    clock = FrozenClock()
    requests = Requests(clock)
    role = asyncio.create_task(RequestPurge(requests, clock, every=0).run(Report("requests")))
    async with asyncio.timeout(10):
        await requests.twice.wait()
    await cancel_until_ended(role)
    assert requests.forgotten[:2] == [NOON - KEPT, NOON - KEPT + timedelta(hours=1)]


async def test_more_than_fits_one_step_is_forgotten_at_once() -> None:
    """What a busy week left does not wait for the next look, an hour later."""
    clock = FrozenClock()
    requests = Requests(clock, there=AT_ONCE + 1)
    role = asyncio.create_task(RequestPurge(requests, clock, every=3600).run(Report("requests")))
    async with asyncio.timeout(10):
        await requests.twice.wait()
    await cancel_until_ended(role)
    assert requests.there == 0
