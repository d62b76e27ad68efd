"""What a sequence number stands for: exactly one frame of fixed duration, hence a place in time and in samples."""

from dataclasses import dataclass
from typing import Final

from cortex_transcriber.speech.recogniser import SAMPLE_RATE

RATES: Final = (16_000, 48_000)
"""Hertz that a peer may send."""

SHORTEST_FRAME_MS: Final = 10
LONGEST_FRAME_MS: Final = 100
"""Bounds of a frame: shorter ones cost more than they carry, longer ones delay the end of speech."""

SAMPLE_BYTES: Final = 2
MS: Final = 1_000
SAMPLES_PER_MS: Final = SAMPLE_RATE // MS


class AudioRefused(ValueError):
    """Audio that can never be right; names the field and the rule."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


@dataclass(frozen=True)
class AudioFormat:
    """PCM s16le, mono, as a peer declares it when it joins.

    Raises:
        AudioRefused: a rate or a frame duration that is not taken.
    """

    sample_rate: int
    frame_ms: int

    def __post_init__(self) -> None:
        if self.sample_rate not in RATES:
            raise AudioRefused("sample_rate", f"must be one of {', '.join(map(str, RATES))} Hz")
        if not SHORTEST_FRAME_MS <= self.frame_ms <= LONGEST_FRAME_MS:
            raise AudioRefused("frame_duration", f"must be {SHORTEST_FRAME_MS} to {LONGEST_FRAME_MS} ms")

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame's payload."""
        return self.sample_rate * self.frame_ms // MS * SAMPLE_BYTES

    @property
    def frame_samples(self) -> int:
        """Samples of one frame at `SAMPLE_RATE`, the rate of everything after the decoder."""
        return self.frame_ms * SAMPLES_PER_MS

    def starts_at_ms(self, sequence: int) -> int:
        """Where the frame begins, in milliseconds after the beginning of sequence 0."""
        return sequence * self.frame_ms

    def ends_at_ms(self, sequence: int) -> int:
        """Where the frame ends, in milliseconds after the beginning of sequence 0."""
        return (sequence + 1) * self.frame_ms
