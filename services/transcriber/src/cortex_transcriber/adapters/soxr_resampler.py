"""Streaming conversion to 16 kHz with soxr."""

from typing import Final

import numpy as np
import soxr

from cortex_transcriber.speech.pcm import Pcm, rounded
from cortex_transcriber.speech.recogniser import SAMPLE_RATE, Samples

QUALITY: Final = "HQ"
"""40 ms of delay from 48 kHz, 120 ms from 8 kHz; stop band below what 16 bit can hold, where the lower ones let hiss
fold into speech."""


class SoxrResampler:
    """One stream's converter; the joints between its pieces cannot be heard. Silent, it holds no memory."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._stream: soxr.ResampleStream | None = None

    def push(self, pcm: Pcm | Samples) -> Pcm:
        """What became ready."""
        if self._stream is None:
            self._stream = soxr.ResampleStream(self._rate, SAMPLE_RATE, 1, dtype="float32", quality=QUALITY)
        return rounded(self._stream.resample_chunk(pcm.astype(np.float32, copy=False)))

    def flush(self) -> Pcm:
        """The rest; afterwards it is as new."""
        if self._stream is None:
            return np.empty(0, dtype=np.int16)
        rest = self._stream.resample_chunk(np.empty(0, dtype=np.float32), last=True)
        self._stream = None
        return rounded(rest)
