"""What is too quiet to be speech, found for next to nothing, so that the voice detector is spared."""

from typing import Final

import numpy as np

from cortex_transcriber.speech.decoding import Pcm
from cortex_transcriber.speech.voice_detector import CHUNK

QUIET_PEAK: Final = 64
"""Largest sample, of 32,768, in a chunk that is surely silence: -54 dBFS. Speech recorded 20 dB too low peaks above
-40 dBFS in all but its first chunks, which the start padding brings back."""


def quiet_chunks(pcm: Pcm) -> int:
    """How many whole chunks from the beginning on are surely silence."""
    whole = len(pcm) // CHUNK
    pcm = pcm[: whole * CHUNK]
    if np.maximum.reduce(pcm) <= QUIET_PEAK and np.minimum.reduce(pcm) >= -QUIET_PEAK:
        return whole
    chunks = pcm.reshape(whole, CHUNK)
    loud = (chunks.max(axis=1) > QUIET_PEAK) | (chunks.min(axis=1) < -QUIET_PEAK)
    return int(loud.argmax())
