"""Puts frames in the order of their numbers: late ones are waited for, but only as long as others keep coming.

What is waited for follows from sequence numbers, not from a clock, so that the same frames are heard the same again.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cortex_transcriber.speech.frames import AudioFormat

WAITED_MS: Final = 100
"""Audio after a missing frame before it is given up: what networks delay a datagram by when they do not lose it. It
delays nothing but what follows a loss."""

FEWEST_WAITED: Final = 2
"""Frames that are waited for in any case: with fewer, two that changed places would be one lost."""

LOSSES_REMEMBERED: Final = 64
"""Of the last losses it is known which numbers they were, to tell what came too late from what came twice."""


@dataclass
class Counters:
    """What happened to the frames of one stream, for metrics; the names are those that operators see.

    Attributes:
        heard: taken, each once.
        lost: given up; something stands in their place, or silence.
        silent: said to be silence.
        resent: before what this stream began with: acknowledged on another one.
        reordered: heard although they came after later ones.
        late: came after they had been given up; they are among the lost ones, too.
        duplicate: came again.
        corrupt: heard, but the codec could make nothing of them.
    """

    heard: int = 0
    lost: int = 0
    silent: int = 0
    resent: int = 0
    reordered: int = 0
    late: int = 0
    duplicate: int = 0
    corrupt: int = 0


@dataclass(slots=True)
class Heard:
    """Frames that follow each other."""

    first: int
    payloads: Sequence[bytes]


@dataclass(slots=True)
class Lost:
    """So many frames that never came, or not in time."""

    frames: int


@dataclass(slots=True)
class Silent:
    """So many frames that were not sent because nobody spoke."""

    frames: int


Piece = Heard | Lost | Silent


class Ordering:
    """The frames of one peer; memory for as many as are waited for.

    Attributes:
        next: the first number of which nothing was given out yet.
    """

    def __init__(self, audio: AudioFormat, start: int, counters: Counters) -> None:
        self.next = start
        self.waited = max(FEWEST_WAITED, -(-WAITED_MS // audio.frame_ms))
        self._counters = counters
        self._after_last = start
        self._held: dict[int, bytes | None] = {}  # None: silence
        self._losses: deque[range] = deque(maxlen=LOSSES_REMEMBERED)

    @property
    def after_last(self) -> int:
        """The number after the highest one that was told of."""
        return self._after_last

    @property
    def holds(self) -> int:
        """How many frames are held back for the sake of missing ones."""
        return len(self._held)

    def frames(self, first: int, payloads: Sequence[bytes]) -> list[Piece]:
        """Take frames with consecutive numbers; what can be given out."""
        if first < self.next:
            known = min(self.next - first, len(payloads))
            self._count_known(range(first, first + known))
            first, payloads = first + known, payloads[known:]
        if not payloads:
            return []
        if self.follow(first, len(payloads)):
            return [Heard(first, payloads)]
        for sequence, payload in enumerate(payloads, first):
            self._hold(sequence, payload)
        return self._ready()

    def follow(self, first: int, frames: int) -> bool:
        """Count frames as given out if they are the next ones, with none missing; whether they are."""
        if first != self.next or self._held:
            return False
        self.next += frames
        self._after_last = self.next
        self._counters.heard += frames
        return True

    def silence(self, first: int, last: int) -> list[Piece]:
        """Take it that nobody spoke in these frames; what can be given out. Those that were sent all the same count."""
        first = max(first, self.next)
        if last < first:
            return []
        self._reach(last + 1)
        nothing_missing = first == self.next and not self._held
        if nothing_missing or first <= last + 1 - self.waited:
            return [*self._given_up(first, Lost), *self._given_up(last + 1, Silent), *self._ready()]
        for sequence in range(first, last + 1):
            self._held.setdefault(sequence, None)
        return self._ready()

    def release(self) -> list[Piece]:
        """Wait no longer: everything that is held."""
        return self._given_up(self._after_last, Lost)

    def _hold(self, sequence: int, payload: bytes) -> None:
        if sequence in self._held:
            self._counters.duplicate += 1
            return
        self._counters.reordered += sequence < self._after_last
        self._held[sequence] = payload
        self._reach(sequence + 1)

    def _reach(self, after: int) -> None:
        self._after_last = max(self._after_last, after)

    def _ready(self) -> list[Piece]:
        """What was waited for long enough, and what follows on it."""
        pieces = self._given_up(self._after_last - self.waited, Lost)
        end = self.next
        while end in self._held:
            end += 1
        return pieces + self._given_up(end, Lost)

    def _given_up(self, end: int, missing: Callable[[int], Lost | Silent]) -> list[Piece]:
        """Everything before `end`; what is not there was lost, or was silence."""
        pieces: list[Piece] = []
        for sequence in sorted(sequence for sequence in self._held if sequence < end):
            pieces += self._missing(sequence, missing)
            payload = self._held.pop(sequence)
            pieces.append(self._out(Silent(1) if payload is None else Heard(sequence, [payload]), 1))
        return pieces + self._missing(end, missing)

    def _missing(self, end: int, missing: Callable[[int], Lost | Silent]) -> list[Piece]:
        frames = end - self.next
        if frames <= 0:
            return []
        if missing is Lost:
            self._losses.append(range(self.next, end))
        return [self._out(missing(frames), frames)]

    def _out(self, piece: Piece, frames: int) -> Piece:
        self.next += frames
        match piece:
            case Heard():
                self._counters.heard += frames
            case Lost():
                self._counters.lost += frames
            case Silent():
                self._counters.silent += frames
        return piece

    def _count_known(self, sequences: range) -> None:
        late = sum(any(sequence in lost for lost in self._losses) for sequence in sequences)
        self._counters.late += late
        self._counters.duplicate += len(sequences) - late
