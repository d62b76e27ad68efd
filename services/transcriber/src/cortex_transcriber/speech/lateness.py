"""How long somebody has been waiting: of all that is owed at a moment, the one that is owed longest."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Lateness:
    """What is owed, and since when.

    Args:
        now: seconds, of a clock that only goes on.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._owed: dict[object, float] = {}

    @contextmanager
    def owing(self) -> Iterator[None]:
        """Something is owed, until it is given or given up."""
        debt = object()
        self._owed[debt] = self._now()
        try:
            yield
        finally:
            del self._owed[debt]

    @property
    def seconds(self) -> float:
        """For how long the oldest has been owed; 0 when nothing is. Any thread may ask."""
        now = self._now()
        return now - min([*self._owed.values()], default=now)
