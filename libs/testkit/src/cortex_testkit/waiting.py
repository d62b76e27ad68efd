"""Waiting for what must come, without guessing how long it takes."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

DEADLINE = 20.0
"""Seconds after which what should have come is taken as lost; far above what anything takes on a busy machine."""

ASK_EVERY = 0.01
"""Seconds between two looks."""


async def eventually(look: Callable[[], object], deadline: float = DEADLINE) -> Any:  # noqa: ANN401 - whatever `look` gives
    """What `look` returns, or what that is awaited to, once it is true.

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
            return seen
        if loop.time() > until:
            raise AssertionError(f"not so after {deadline:g} s; seen last: {seen!r}")
        await asyncio.sleep(ASK_EVERY)
