"""From the payloads of frames to samples at 16 kHz, 16 bit: the form in which audio is kept."""

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np

from cortex_transcriber.speech import payloads as checks
from cortex_transcriber.speech.frames import AudioFormat, Encoding
from cortex_transcriber.speech.pcm import FULL_SCALE, Pcm, rounded, to_float
from cortex_transcriber.speech.recogniser import SAMPLE_RATE, Samples
from cortex_transcriber.speech.unpacking import unpack

__all__ = ["FULL_SCALE", "PREROLL_MS", "Decoder", "Pcm", "PcmDecoder", "Resampler", "to_float"]

PREROLL_MS: Final = 160
"""Audio before the point of resumption that a decoder with memory is given and whose output is thrown away.
The high-quality resampler looks 60 ms back from 8 kHz and less from other rates; Opus wants 80 ms and more."""


class Resampler(Protocol):
    """Converts one stream to 16 kHz. Its output comes later than its input, but at the right place."""

    def push(self, pcm: Pcm | Samples) -> Pcm:
        """What became ready of samples on the scale of 16 bits."""

    def flush(self) -> Pcm:
        """The rest; afterwards it is as new."""


class Decoder(Protocol):
    """Decodes the frames of one peer. Gaps are announced by `conceal` or `flush`."""

    @property
    def preroll_ms(self) -> int:
        """How much audio it needs before it is exact."""

    @property
    def corrupt(self) -> int:
        """How many frames passed the check and could not be decoded; something stands in their place."""

    def check(self, payloads: Sequence[bytes]) -> None:
        """See whether these are frames of this format, without taking them.

        Raises:
            AudioRefused: one is not.
        """

    def decode(self, payloads: Sequence[bytes]) -> Pcm:
        """Samples at 16 kHz of these frames, which were checked; some of them perhaps later."""

    def conceal(self, frames: int) -> Pcm | None:
        """What may stand in the place of so many lost frames; None for silence, after a `flush`."""

    def flush(self) -> Pcm:
        """The samples still owed for the frames so far; afterwards it is as new."""


class PcmDecoder:
    """Every encoding whose samples can be read off: PCM and G.711."""

    corrupt = 0

    def __init__(self, audio: AudioFormat, resampler: Resampler | None) -> None:
        if audio.encoding is Encoding.OPUS:
            raise ValueError("Opus has a decoder of its own")
        if (resampler is None) != (audio.sample_rate == SAMPLE_RATE):
            raise ValueError("a resampler is for rates other than 16 kHz, and for each of them")
        self._audio = audio
        self._resampler = resampler
        self.preroll_ms = PREROLL_MS if resampler else 0

    def check(self, payloads: Sequence[bytes]) -> None:
        """Each payload is exactly a frame."""
        checks.check(self._audio, payloads)

    def decode(self, payloads: Sequence[bytes]) -> Pcm:
        """Samples of these frames."""
        samples = unpack(self._audio, payloads[0] if len(payloads) == 1 else b"".join(payloads))
        return self._resampler.push(samples) if self._resampler else rounded(samples)

    def conceal(self, _frames: int) -> Pcm | None:
        """Nothing is known of samples but themselves."""
        return None

    def flush(self) -> Pcm:
        """What the resampler still holds."""
        return self._resampler.flush() if self._resampler else np.empty(0, dtype=np.int16)
