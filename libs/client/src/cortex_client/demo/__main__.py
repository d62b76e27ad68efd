"""`python -m cortex_client.demo`: the demo, from nothing to its last line."""

import asyncio
import os
import signal
import sys

from cortex_runtime.adapters.embedded.child import DidNotStart
from cortex_runtime.failures import leaves
from rich.console import Console

from cortex_client.demo.installation import Ports, installation
from cortex_client.demo.measure import last_line
from cortex_client.demo.meeting import Meeting, load
from cortex_client.demo.plain import PlainView
from cortex_client.demo.screen import ScreenView
from cortex_client.demo.story import DemoFailed, tell
from cortex_client.demo.supervisor import ServiceEnded
from cortex_client.demo.view import Outcome, Programme, View
from cortex_client.errors import CallFailed

OK, FAILED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130

# What has a message for people; anything else is a defect, and shows where it happened.
EXPECTED = (DidNotStart, ServiceEnded, DemoFailed, CallFailed, OSError)


def main() -> int:
    """Run the demo; the exit status."""
    try:
        speed = _speed(os.environ.get("SPEED") or "1")
    except ValueError as error:
        sys.stderr.write(f"demo: {error}\n")
        return WRONG_USE
    meeting = load()
    try:
        outcome = asyncio.run(_run(meeting, speed))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.stdout.write("demo stopped\n")
        return INTERRUPTED
    except Exception as error:
        if not all(isinstance(leaf, EXPECTED) for leaf in leaves(error)):
            raise
        sys.stderr.writelines(f"demo failed: {leaf}\n" for leaf in leaves(error))
        return FAILED
    sys.stdout.write(last_line(outcome.report, speed) + "\n")
    return OK if outcome.report.is_good else FAILED


async def _run(meeting: Meeting, speed: float) -> Outcome:
    """Everything is ended when this returns, so that the last line can follow."""
    _end_on_signals()
    with _view(meeting.programme(speed)) as view:
        async with installation(Ports(), view.step) as running:
            outcome = await tell(running, meeting, speed, view)
        view.ends(outcome)
    return outcome


def _view(programme: Programme) -> View:
    console = Console()
    return ScreenView(programme, console) if console.is_terminal else PlainView(programme)


def _end_on_signals() -> None:
    """End as on Ctrl-C when the terminal goes, or somebody asks politely."""
    task = asyncio.current_task()
    if task is not None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise ValueError("SPEED must be a number above 0, for instance SPEED=4")
    return speed


if __name__ == "__main__":
    sys.exit(main())
