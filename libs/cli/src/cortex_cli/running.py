"""Runs what a command does, and ends it in good order."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

from cortex_eventing.errors import CortexError
from cortex_runtime.failures import leaves

from cortex_cli.complaint import Complaint

Result = TypeVar("Result")


def run_to_its_end(work: Coroutine[Any, Any, Result]) -> Result:
    """Run it; everything that it opened is closed when this returns or raises.

    Raises:
        Complaint: it cannot be done.
        KeyboardInterrupt: it was interrupted, or asked to end.
    """
    try:
        return asyncio.run(_ending_on_signals(work))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    except ExceptionGroup as group:
        first = next(leaves(group))
        if isinstance(first, Complaint | CortexError):
            raise Complaint(str(first)) from group
        raise


async def _ending_on_signals(work: Coroutine[Any, Any, Result]) -> Result:
    """End as on Ctrl-C when somebody asks politely."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work
