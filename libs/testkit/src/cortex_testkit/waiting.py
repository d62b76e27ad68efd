"""Waiting for what must come, without guessing how long it takes."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar

Value = TypeVar("Value")

DEADLINE = 20.0
"""Seconds after which what should have come is taken as lost; far above what anything takes on a busy machine."""

ASK_EVERY = 0.01
"""Seconds between two looks."""


async def eventually(look: Callable[[], Value | Awaitable[Value]], deadline: float = DEADLINE) -> Value:
    """What `look` returns once it is true.

    Raises:
        AssertionError: it was not true by the deadline; says what was seen last.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + deadline
    while True:
        seen = look()
        value: Value = await seen if inspect.isawaitable(seen) else seen
        if value:
            return value
        if loop.time() > until:
            raise AssertionError(f"not so after {deadline:g} s; seen last: {value!r}")
        await asyncio.sleep(ASK_EVERY)
