"""A clock that moves when a test says so."""

from datetime import UTC, datetime, timedelta

# A moment that no test depends on; far enough from 0 to be told from a missing time.
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class FrozenClock:
    """The port `cortex_eventing.clock.Clock`, standing still at NOON unless it is moved."""

    def __init__(self, at: datetime = NOON) -> None:
        self._at = at

    def now(self) -> datetime:
        """Where it was left."""
        return self._at

    def advance(self, by: timedelta) -> datetime:
        """Move on (or, by a negative time, back), and say what time it is then."""
        self._at += by
        return self._at
