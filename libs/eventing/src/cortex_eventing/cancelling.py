"""Ending tasks for certain.

Python 3.11's `asyncio.wait_for`, which nats-py's requests and psycopg's waits use, can swallow a cancellation that
arrives together with the answer. A task that was cancelled once may therefore go on for ever; a TaskGroup waits for it.
"""

import asyncio
from typing import Any

CANCEL_AGAIN_EVERY = 0.5
"""Seconds. Long beside what a cancelled task needs to clean up, short beside what a stopping process may take."""


async def cancel_until_ended(*tasks: "asyncio.Task[Any]") -> None:
    """Cancel tasks, again every half second, until each has ended; how they ended is not looked at.

    Raises:
        asyncio.CancelledError: the caller was cancelled meanwhile; raised only once the tasks have ended.
    """
    cancelled: asyncio.CancelledError | None = None
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        try:
            await asyncio.wait(running, timeout=CANCEL_AGAIN_EVERY)
        except asyncio.CancelledError as error:
            cancelled = error
    for task in tasks:
        if not task.cancelled():
            task.exception()  # looked at, so that asyncio does not report it as never retrieved
    if cancelled is not None:
        raise cancelled
