"""Waiting for what must come, without guessing how long it takes."""

import asyncio
import inspect
from collections.abc import Callable

DEADLINE = 20.0
"""Seconds after which what should have come is taken as lost; far above what anything takes on a busy machine."""

ASK_EVERY = 0.01
"""Seconds between two looks."""


async def eventually(look: Callable[[], object], deadline: float = DEADLINE) -> None:
    """Return once what `look` returns, or what it returns is awaited to, is true.

    Raises:
        AssertionError: it was not true by the deadline; says what was seen last.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + deadline
    while True:
        seen = look()
        if inspect.isawaitable(seen):
            seen = await seen
        if seen:
            return
        if loop.time() > until:
            raise AssertionError(f"not so after {deadline:g} s; seen last: {seen!r}")
        await asyncio.sleep(ASK_EVERY)
