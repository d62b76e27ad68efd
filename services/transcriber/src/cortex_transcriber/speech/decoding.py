"""From the payloads of frames to samples at 16 kHz, 16 bit: the form in which audio is kept."""

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from cortex_transcriber.speech.frames import SAMPLE_BYTES, AudioFormat, AudioRefused
from cortex_transcriber.speech.recogniser import SAMPLE_RATE, Samples

Pcm = npt.NDArray[np.int16]
"""Mono audio, 16 bit, one dimension. Half the memory of float samples, and exact for what voice servers send."""

FULL_SCALE: Final = 32_768

PREROLL_MS: Final = 160
"""Audio before the point of resumption that a decoder with memory is given and whose output is thrown away.
The high-quality resampler looks 40 ms back; Opus wants 80 ms and more."""


class Resampler(Protocol):
    """Converts one stream to 16 kHz. Its output comes later than its input, but at the right place."""

    def push(self, pcm: Pcm) -> Pcm:
        """What became ready."""

    def flush(self) -> Pcm:
        """The rest; afterwards it is as new."""


class Decoder(Protocol):
    """Decodes the frames of one peer. Gaps are announced by `flush`."""

    @property
    def preroll_ms(self) -> int:
        """How much audio it needs before it is exact."""

    def check(self, payloads: Sequence[bytes]) -> None:
        """See whether these are frames of this format, without taking them.

        Raises:
            AudioRefused: one is not.
        """

    def decode(self, payloads: Sequence[bytes]) -> Pcm:
        """Samples at 16 kHz of these frames, which were checked; some of them perhaps later."""

    def flush(self) -> Pcm:
        """The samples still owed for the frames so far; afterwards it is as new."""


class PcmDecoder:
    """PCM s16le, mono."""

    def __init__(self, audio: AudioFormat, resampler: Resampler | None) -> None:
        if (resampler is None) != (audio.sample_rate == SAMPLE_RATE):
            raise ValueError("a resampler is for rates other than 16 kHz, and for each of them")
        self._frame_bytes = audio.frame_bytes
        self._resampler = resampler
        self.preroll_ms = PREROLL_MS if resampler else 0

    def check(self, payloads: Sequence[bytes]) -> None:
        """Each payload is exactly a frame."""
        for payload in payloads:
            if len(payload) != self._frame_bytes:
                raise AudioRefused("payloads", _size_rule(len(payload), self._frame_bytes))

    def decode(self, payloads: Sequence[bytes]) -> Pcm:
        """Samples of these frames."""
        pcm = np.frombuffer(payloads[0] if len(payloads) == 1 else b"".join(payloads), dtype="<i2")
        return self._resampler.push(pcm) if self._resampler else pcm

    def flush(self) -> Pcm:
        """What the resampler still holds."""
        return self._resampler.flush() if self._resampler else np.empty(0, dtype=np.int16)


def _size_rule(size: int, frame_bytes: int) -> str:
    if size == 0:
        return "must not be empty; announce a pause with silent_through"
    if size % SAMPLE_BYTES:
        return f"must hold whole 16-bit samples, got {size} bytes"
    return f"must be {frame_bytes} bytes, the frame duration that the peer joined with; got {size}"


def to_float(pcm: Pcm) -> Samples:
    """The same audio from -1 to 1."""
    return np.multiply(pcm, np.float32(1 / FULL_SCALE), dtype=np.float32)
