"""What is heard in one speaker's stream."""

from dataclasses import dataclass, field

from cortex_transcriber.speech.decoding import Pcm, to_float
from cortex_transcriber.speech.frames import SAMPLES_PER_MS
from cortex_transcriber.speech.recogniser import Samples
from cortex_transcriber.speech.segmenting import SpeechStats


@dataclass(frozen=True)
class SpeechStarted:
    """An utterance begins with this frame (padding included)."""

    sequence: int


@dataclass(frozen=True)
class _SoFar:
    """The frames of an utterance up to now."""

    first_sequence: int
    last_sequence: int
    pcm: Pcm = field(repr=False, compare=False)


class InterimDue(_SoFar):
    """The utterance that began with `first_sequence` has grown enough to be told in between."""


class EndLikely(_SoFar):
    """Speech has paused: if it does not go on, the utterance is these frames."""


@dataclass(frozen=True)
class SegmentReady:
    """An utterance, or a piece of a long one: whole frames, each of which is in one segment at most.

    Attributes:
        first_sequence: its first frame.
        last_sequence: its last frame.
        stats: what the voice detector thought of it.
        settles: audio up to `last_sequence` may be acknowledged once this and all earlier segments are stored.
            A piece of speech that goes on does not settle: a restart begins before it, so that the cuts repeat.
        pcm: its audio, 16 kHz.
    """

    first_sequence: int
    last_sequence: int
    stats: SpeechStats
    settles: bool
    pcm: Pcm = field(repr=False, compare=False)

    @property
    def samples(self) -> Samples:
        """The audio for the recogniser."""
        return to_float(self.pcm)

    @property
    def milliseconds(self) -> int:
        """How long it is."""
        return len(self.pcm) // SAMPLES_PER_MS


@dataclass(frozen=True)
class QuietThrough:
    """Audio up to this frame is in earlier segments or is silence; it may be acknowledged once those are stored."""

    sequence: int


Event = SpeechStarted | InterimDue | EndLikely | SegmentReady | QuietThrough
