"""Checks the frames of one peer: their size, their numbers, and what of them was acknowledged before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from cortex.transcriber.v1.transcriber_service_pb2 import Frames
from cortex_eventing.errors import InvalidInput

from cortex_transcriber.speech.frames import MS, AudioFormat, AudioRefused
from cortex_transcriber.speech.payloads import check
from cortex_transcriber.stream.limits import Limits

LONGEST_PAUSE: Final = timedelta(days=7)
"""A number further ahead than this is a mistake: taken as it is, it would make every later frame one of the past."""


class FramesRefused(InvalidInput):
    """Frames that cannot be right; names the field and the rule."""

    reason = "FRAMES_REFUSED"

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"frames.{field} {rule}", field=f"frames.{field}")


@dataclass(slots=True)
class Taken:
    """Frames that are not acknowledged: whole ones with consecutive numbers, then perhaps silence.

    They may be late, or have come before: networks between speaker and bot change the order of frames, and repeat them.

    Attributes:
        first_sequence: the number of the first payload.
        payloads: one frame each, of the length that the peer's format asks for; may be empty.
        silent_through: everything after the payloads up to here was silence; None when nothing was said about it.
    """

    first_sequence: int
    payloads: Sequence[bytes]
    silent_through: int | None


class Intake:
    """One peer's numbering on one stream.

    Attributes:
        expected: the number after the highest one that was sent.
        acknowledged: the last number that is accounted for.
        ignored: how many frames came although they were acknowledged.
    """

    def __init__(self, audio: AudioFormat, first_needed: int, limits: Limits) -> None:
        self.expected = first_needed
        self.acknowledged = first_needed - 1
        self.ignored = 0
        self._audio = audio
        self._limits = limits
        self._furthest = int(LONGEST_PAUSE.total_seconds() * MS) // audio.frame_ms

    def take(self, frames: Frames) -> Taken | None:
        """What of a message is not acknowledged; None when all of it is.

        Raises:
            FramesRefused: nothing of it was taken.
        """
        first, payloads = frames.first_sequence, frames.payloads[:]
        silent_through = frames.silent_through if frames.HasField("silent_through") else None
        self._check_payloads(payloads)
        end = self._check_numbers(first, len(payloads), silent_through)
        if first > self.acknowledged:
            self.expected = max(self.expected, end + 1)
            return Taken(first, payloads, silent_through)
        return self._unacknowledged(first, payloads, silent_through, end)

    def _unacknowledged(
        self, first: int, payloads: Sequence[bytes], silent_through: int | None, end: int
    ) -> Taken | None:
        known = min(self.acknowledged + 1 - first, len(payloads))
        self.ignored += known
        if end <= self.acknowledged:
            return None
        first += known
        if known == len(payloads):
            first = max(first, self.acknowledged + 1)  # of announced silence the part that is new
        self.expected = max(self.expected, end + 1)
        return Taken(first, payloads[known:], silent_through)

    def _check_payloads(self, payloads: Sequence[bytes]) -> None:
        if len(payloads) > self._limits.max_frames:
            raise FramesRefused("payloads", f"must be at most {self._limits.max_frames} frames")
        try:
            check(self._audio, payloads)
        except AudioRefused as refused:
            raise FramesRefused(refused.field, refused.rule) from refused

    def _check_numbers(self, first: int, payloads: int, silent_through: int | None) -> int:
        """The last number that the message accounts for."""
        if first < 0:
            raise FramesRefused("first_sequence", "must not be negative")
        end = first + payloads - 1
        self._check_reach("first_sequence", end)
        if silent_through is None:
            if not payloads:
                raise FramesRefused("payloads", "must not be empty without silent_through")
            return end
        if silent_through < max(end, first):
            raise FramesRefused("silent_through", "must not be before the frames of the same message")
        self._check_reach("silent_through", silent_through)
        return silent_through

    def _check_reach(self, field: str, sequence: int) -> None:
        if sequence > self.expected + self._furthest:
            raise FramesRefused(field, f"must stay within {LONGEST_PAUSE.days} days of the frames before")
