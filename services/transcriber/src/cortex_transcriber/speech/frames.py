"""What a sequence number stands for: exactly one frame of fixed duration, hence a place in time and in samples."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Final

from cortex_transcriber.speech.recogniser import SAMPLE_RATE

RATES: Final = (8_000, 16_000, 24_000, 44_100, 48_000)
"""Hertz that a peer may send: telephones, wide band, and what sound cards and voice servers run at."""

SHORTEST_FRAME_MS: Final = 10
LONGEST_FRAME_MS: Final = 100
"""Bounds of a frame: shorter ones cost more than they carry, longer ones delay the end of speech."""

TELEPHONE_RATE: Final = 8_000
"""Hertz of G.711."""

OPUS_STEP_MS: Final = 5
"""Opus packets hold frames of 2.5 ms and multiples, so of the whole milliseconds only these."""

MOST_CHANNELS: Final = 2
MS: Final = 1_000
SAMPLES_PER_MS: Final = SAMPLE_RATE // MS


class Encoding(Enum):
    """How a payload holds its samples; the values are the names that errors use."""

    PCM_S16LE = "PCM s16le"
    PCM_F32LE = "PCM f32le"
    MULAW = "G.711 mu-law"
    ALAW = "G.711 A-law"
    OPUS = "Opus"


SAMPLE_BYTES: Final[Mapping[Encoding, int]] = {
    Encoding.PCM_S16LE: 2,
    Encoding.PCM_F32LE: 4,
    Encoding.MULAW: 1,
    Encoding.ALAW: 1,
}
"""Bytes of one sample. Opus packets are as long as they are."""


class AudioRefused(ValueError):
    """Audio that can never be right; names the field and the rule."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


@dataclass(frozen=True)
class AudioFormat:
    """Audio as a peer declares it when it joins.

    Raises:
        AudioRefused: a rate, a number of channels or a frame duration that is not taken, or that do not fit.
    """

    sample_rate: int
    frame_ms: int
    encoding: Encoding = Encoding.PCM_S16LE
    channels: int = 1

    def __post_init__(self) -> None:
        self._check_rate()
        if not 1 <= self.channels <= MOST_CHANNELS:
            raise AudioRefused("channels", f"must be 1 to {MOST_CHANNELS}")
        if not SHORTEST_FRAME_MS <= self.frame_ms <= LONGEST_FRAME_MS:
            raise AudioRefused("frame_duration", f"must be {SHORTEST_FRAME_MS} to {LONGEST_FRAME_MS} ms")
        if self.encoding is Encoding.OPUS:
            if self.frame_ms % OPUS_STEP_MS:
                raise AudioRefused("frame_duration", f"must be a multiple of {OPUS_STEP_MS} ms for Opus")
        elif self.sample_rate * self.frame_ms % MS:
            raise AudioRefused("frame_duration", f"must hold whole samples at {self.sample_rate} Hz")

    def _check_rate(self) -> None:
        if self.sample_rate not in RATES:
            raise AudioRefused("sample_rate", f"must be one of {', '.join(map(str, RATES))} Hz")
        if self.encoding in (Encoding.MULAW, Encoding.ALAW) and self.sample_rate != TELEPHONE_RATE:
            raise AudioRefused("sample_rate", f"must be {TELEPHONE_RATE} Hz for {self.encoding.value}")
        if self.encoding is Encoding.OPUS and self.sample_rate % TELEPHONE_RATE:
            raise AudioRefused("sample_rate", "must be one that Opus encoders take: 8000, 16000, 24000 or 48000 Hz")

    @cached_property
    def frame_bytes(self) -> int:
        """Bytes of one frame's payload; 0 for Opus, whose packets differ."""
        samples = self.sample_rate * self.frame_ms // MS * self.channels
        return samples * SAMPLE_BYTES.get(self.encoding, 0)

    @cached_property
    def frame_samples(self) -> int:
        """Samples of one frame at `SAMPLE_RATE`, the rate of everything after the decoder."""
        return self.frame_ms * SAMPLES_PER_MS

    def starts_at_ms(self, sequence: int) -> int:
        """Where the frame begins, in milliseconds after the beginning of sequence 0."""
        return sequence * self.frame_ms

    def ends_at_ms(self, sequence: int) -> int:
        """Where the frame ends, in milliseconds after the beginning of sequence 0."""
        return (sequence + 1) * self.frame_ms
