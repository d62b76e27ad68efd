"""How a program of the demo ends: in good order on any signal, with a line and a status on any error."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from cortex_runtime.adapters.embedded.child import DidNotStart
from cortex_runtime.failures import leaves

from cortex_client.demo.story import DemoFailed
from cortex_client.demo.supervisor import ServiceEnded
from cortex_client.errors import CallFailed

Result = TypeVar("Result")

OK, FAILED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130

# What has a message for people; anything else is a defect, and shows where it happened.
EXPECTED = (DidNotStart, ServiceEnded, DemoFailed, CallFailed, OSError)


class Ended(Exception):
    """The program is over before its end; `status` is what it exits with."""

    def __init__(self, status: int) -> None:
        super().__init__(f"exit status {status}")
        self.status = status


def run(program: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run a program; everything that it started is gone when this returns or raises.

    Raises:
        Ended: it was interrupted, or failed with a message, which was written.
    """
    try:
        return asyncio.run(_ending_on_signals(program))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.stdout.write("demo stopped\n")
        raise Ended(INTERRUPTED) from None
    except Exception as error:
        failures = list(leaves(error))
        if not all(isinstance(failure, EXPECTED) for failure in failures):
            raise
        sys.stderr.writelines(f"demo failed: {failure}\n" for failure in failures)
        raise Ended(FAILED) from None


async def _ending_on_signals(program: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """End as on Ctrl-C when the terminal goes, or somebody asks politely."""
    task = asyncio.current_task()
    if task is not None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await program()
