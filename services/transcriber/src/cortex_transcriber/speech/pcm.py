"""Samples of 16 bits: the form in which audio is kept."""

from typing import Final, cast

import numpy as np
import numpy.typing as npt

from cortex_transcriber.speech.recogniser import Samples

Pcm = npt.NDArray[np.int16]
"""Mono audio, 16 bit, one dimension. Half the memory of float samples, and exact for what voice servers send."""

FULL_SCALE: Final = 32_768
WHOLE: Final = np.dtype("<i2")


def to_float(pcm: Pcm) -> Samples:
    """The same audio from -1 to 1."""
    return np.multiply(pcm, np.float32(1 / FULL_SCALE), dtype=np.float32)


def rounded(samples: Pcm | Samples) -> Pcm:
    """Samples that may have fractions, or be too loud, as 16 bits."""
    if samples.dtype == WHOLE:
        return cast("Pcm", samples)
    pcm: Pcm = np.clip(np.rint(samples), -FULL_SCALE, FULL_SCALE - 1).astype(WHOLE)
    return pcm
