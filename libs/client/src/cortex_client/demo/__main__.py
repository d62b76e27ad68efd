"""`python -m cortex_client.demo`: the demo, from nothing to its last line."""

import math
import os
import sys

from rich.console import Console

from cortex_client.demo.ending import FAILED, OK, WRONG_USE, Ended, run
from cortex_client.demo.installation import Ports, installation
from cortex_client.demo.measure import last_line
from cortex_client.demo.meeting import Meeting, load
from cortex_client.demo.plain import PlainView
from cortex_client.demo.screen import ScreenView
from cortex_client.demo.story import tell
from cortex_client.demo.view import Outcome, Programme, View


def main() -> int:
    """Run the demo; the exit status."""
    speed = _speed(os.environ.get("SPEED") or "1")
    if speed is None:
        sys.stderr.write("demo: SPEED must be a number above 0, for instance SPEED=4\n")
        return WRONG_USE
    meeting = load()
    try:
        outcome = run(lambda: _play(meeting, speed))
    except Ended as ended:
        return ended.status
    sys.stdout.write(last_line(outcome.report, speed) + "\n")
    return OK if outcome.report.is_good else FAILED


async def _play(meeting: Meeting, speed: float) -> Outcome:
    """Everything is ended when this returns, so that the last line can follow."""
    with _view(meeting.programme(speed)) as view:
        async with installation(Ports(), view.step) as running:
            outcome = await tell(running, meeting, speed, view)
        view.ends(outcome)
    return outcome


def _view(programme: Programme) -> View:
    console = Console()
    return ScreenView(programme, console) if console.is_interactive else PlainView(programme)


def _speed(text: str) -> float | None:
    try:
        speed = float(text)
    except ValueError:
        return None
    return speed if math.isfinite(speed) and speed > 0 else None


if __name__ == "__main__":
    sys.exit(main())
