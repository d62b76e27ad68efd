"""How long somebody has been waiting: of all that is owed at a moment, the one that is owed longest."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Lateness:
    """What is owed, to which project, and since when.

    Args:
        now: seconds, of a clock that only goes on.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._owed: dict[object, tuple[str, float]] = {}

    @contextmanager
    def owing(self, project_id: str) -> Iterator[None]:
        """Something is owed, until it is given or given up."""
        debt = object()
        self._owed[debt] = project_id, self._now()
        try:
            yield
        finally:
            del self._owed[debt]

    @property
    def seconds(self) -> float:
        """For how long the oldest has been owed; 0 when nothing is. Any thread may ask."""
        now = self._now()
        return now - min([since for _, since in self._debts()], default=now)

    def seconds_for(self, project_id: str) -> float:
        """The same as far as it says how long a project would wait.

        Projects take turns, so what one alone is owed delays nobody else: it is what the project itself is owed, or two
        of them are.
        """
        now = self._now()
        since: dict[str, float] = {}
        for project, began in self._debts():
            since[project] = min(began, since.get(project, began))
        second = sorted(since.values())[1:2]
        return now - min([since.get(project_id, now), *second])

    def _debts(self) -> list[tuple[str, float]]:
        return list(self._owed.values())  # at once: another thread may be about to owe
