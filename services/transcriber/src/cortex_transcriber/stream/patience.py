"""Trying again for as long as a stream lives: its bot keeps what is not acknowledged, so nobody needs to give up."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from cortex_eventing.backoff import waits
from cortex_eventing.errors import Unavailable

Answer = TypeVar("Answer")


async def patiently(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask until whoever is asked is there."""
    for wait in waits():
        try:
            return await ask()
        except Unavailable:
            await asyncio.sleep(wait)
    raise AssertionError("the waits have no end")
