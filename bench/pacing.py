"""Open-loop pacing: what is to be sent is known, with its moments, before the first is; nothing waits for an answer."""

import asyncio
import heapq
import time
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

Thing = TypeVar("Thing")

Timed = tuple[float, int, Thing]
"""Seconds after the beginning, a number that keeps the order of equals, and what is due then."""


async def paced(plans: Iterable[Iterable[Timed[Thing]]], began: float, late: list[float]) -> AsyncIterator[Thing]:
    """What is due, each at its moment or as soon after as this process comes to it.

    Args:
        plans: each in the order of its moments.
        began: by `time.perf_counter`.
        late: takes down by how many seconds each was late.
    """
    for at, _, thing in heapq.merge(*plans, key=lambda timed: timed[:2]):
        wait = began + at - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        late.append(max(0.0, time.perf_counter() - began - at))
        yield thing
