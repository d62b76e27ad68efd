"""The port of voice detection: how likely each 32 ms of audio is speech."""

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from cortex_transcriber.speech.decoding import Pcm

CHUNK: Final = 512
"""Samples judged at once, 32 ms at 16 kHz; the detector was trained on it."""

CONTEXT: Final = 64
"""Samples before a chunk that it is shown as well."""

STATE: Final = (2, 128)
"""Shape of what the detector remembers of one stream."""

Floats = npt.NDArray[np.float32]


class VoiceDetector(Protocol):
    """Judges chunks of several streams at once; keeps nothing between calls."""

    def probabilities(self, chunks: Pcm, lengths: Sequence[int], states: Floats) -> tuple[Floats, Floats]:
        """How likely each chunk is speech, and what to remember.

        Args:
            chunks: [chunks, CONTEXT + CHUNK]; those of one stream follow each other, then come those of the next.
            lengths: how many chunks are of each stream, at least one.
            states: [2, streams, 128]; zeros for a stream that begins.

        Returns:
            Probabilities [chunks] and the states [2, streams, 128] after each stream's last chunk. A stream's figures
            do not depend on the others, nor on how its chunks are spread over calls.
        """


def after_silence(detector: VoiceDetector, chunks: int) -> Floats:
    """What a detector remembers after 0, 1, 2... chunks of silence, [chunks, 2, 128].

    It does not settle: Silero's memory still moves after two seconds of zeros.
    """
    silence = np.zeros((1, CONTEXT + CHUNK), dtype=np.int16)
    states = np.zeros((chunks, STATE[0], 1, STATE[1]), dtype=np.float32)
    for chunk in range(1, chunks):
        states[chunk] = detector.probabilities(silence, [1], states[chunk - 1])[1]
    return states[:, :, 0]
