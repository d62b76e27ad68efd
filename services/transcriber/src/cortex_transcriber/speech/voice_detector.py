"""The port of voice detection: how likely each 32 ms of audio is speech."""

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

CHUNK: Final = 512
"""Samples judged at once, 32 ms at 16 kHz; the detector was trained on it."""

CONTEXT: Final = 64
"""Samples before a chunk that it is shown as well."""

STATE: Final = (2, 128)
"""Shape of what the detector remembers of one stream."""

Floats = npt.NDArray[np.float32]


class VoiceDetector(Protocol):
    """Judges chunks of several streams at once; keeps nothing between calls."""

    def probabilities(self, chunks: Floats, states: Floats) -> tuple[Floats, Floats]:
        """How likely each chunk is speech, and what to remember.

        Args:
            chunks: [streams, CONTEXT + CHUNK], -1 to 1.
            states: [2, streams, 128]; zeros for a stream that begins.

        Returns:
            Probabilities [streams] and new states [2, streams, 128]. A stream's figures do not depend on the others.
        """


def no_memory() -> Floats:
    """The state of a stream that begins."""
    return np.zeros(STATE, dtype=np.float32)
