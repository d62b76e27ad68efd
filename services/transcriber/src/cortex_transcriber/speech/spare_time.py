"""How much time of a process goes to what was recorded before it came: what those who speak now do not want."""

import math
from collections.abc import Callable
from typing import Final

STARVED: Final = 5.0
"""Seconds that recorded utterances wait without one being begun before one of them goes before everything else, so that
they get on while others never stop: who was cut off, and sends what was said meanwhile, is not understood before that
is."""

RESTS: Final = 3.0
"""Times the length of a recognition that its thread takes nothing else that was recorded afterwards, while somebody
speaks. Two recognitions share the memory's bandwidth and slow each other down by a fifth, whatever their priorities."""

SPEAKS: Final = 2.0
"""Seconds after something live was handed over that somebody is taken to speak."""


class SpareTime:
    """When what was recorded is recognised.

    Args:
        threads: that may do it.
        now: seconds, of a clock that only goes on.
    """

    def __init__(self, threads: int, now: Callable[[], float]) -> None:
        self._threads = threads
        self._now = now
        self._live_at = -math.inf
        self._rests_until = -math.inf
        self._waiting_since = math.inf

    def live(self) -> None:
        """Somebody speaks."""
        self._live_at = self._now()

    def waiting(self) -> None:
        """Something recorded waits, from now on: it is the first one, or another was begun now."""
        self._waiting_since = self._now()

    def took(self, seconds: float) -> None:
        """A recorded utterance is done, which took so long."""
        if self._somebody_speaks:
            self._rests_until = max(self._rests_until, self._now()) + RESTS * seconds / self._threads

    @property
    def rest(self) -> float:
        """Seconds until the next may be begun."""
        return max(0.0, self._rests_until - self._now()) if self._somebody_speaks else 0.0

    @property
    def starved(self) -> bool:
        """Whether what was recorded has waited for too long."""
        return self._now() - self._waiting_since >= STARVED

    @property
    def _somebody_speaks(self) -> bool:
        return self._now() - self._live_at < SPEAKS
