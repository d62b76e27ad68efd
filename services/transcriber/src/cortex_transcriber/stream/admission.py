"""Whether this process has time for another stream: it has none while finals come late."""

from collections.abc import Callable
from typing import Final

RECOVERED: Final = 0.25
"""Share of the bound below which streams are taken again: a load that hovers at the bound would let every other one in
otherwise, and each that is let in makes those late that are there."""


class Admission:
    """Says for each stream that wants to open whether there is time for it. Of one event loop.

    Args:
        lateness: for how many seconds the oldest unanswered final has been waited for that a project would have to
            wait behind.
        bound: seconds of that from which on no stream is taken.
    """

    def __init__(self, lateness: Callable[[str], float], bound: float) -> None:
        self._lateness = lateness
        self._bound = bound
        self._busy = False

    def has_time(self, project_id: str) -> bool:
        """Whether another stream of the project may open now."""
        lateness = self._lateness(project_id)
        self._busy = lateness >= (self._bound * RECOVERED if self._busy else self._bound)
        return not self._busy
