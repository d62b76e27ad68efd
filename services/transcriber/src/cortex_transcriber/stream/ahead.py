"""Whether a peer's speech comes faster than it can have been spoken: then it was recorded, and can wait."""

from typing import Final

from cortex_transcriber.speech.frames import MS

CAUGHT_UP: Final = 20.0
"""Seconds of speech that may come at once and still be taken for what is said just now: so much a bot holds back while
its stream moves to another replica, or a network is away for a moment, and nobody shall wait longer for that."""


class Ahead:
    """How many seconds more were said than have passed."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._at = 0.0

    def said(self, milliseconds: int, at: float) -> bool:
        """So much was said up to now, by any clock that counts seconds.

        Returns:
            Whether it was not spoken just now.
        """
        self._seconds = self._by(at) + milliseconds / MS
        self._at = at
        return self.recorded(at)

    def recorded(self, at: float) -> bool:
        """Whether what comes now was not spoken just now."""
        return self._by(at) > CAUGHT_UP

    def _by(self, at: float) -> float:
        return max(0.0, self._seconds - max(0.0, at - self._at))
