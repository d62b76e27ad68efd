"""ITU-T G.711: what each of the 256 codes of telephone audio stands for, on the scale of 16-bit samples."""

from typing import Final

import numpy as np
import numpy.typing as npt

from cortex_transcriber.speech.pcm import Pcm

MULAW_BIAS: Final = 33
MULAW_SHIFT: Final = 2
ALAW_TOGGLED: Final = 0x55
ALAW_SHIFT: Final = 3
"""Mu-law has 14 bits and A-law 13; the shifts put them at the top of 16. A-law is sent with every other bit turned."""

SIGN: Final = 0x80
CODES: Final = np.arange(256, dtype=np.int32)

Whole = npt.NDArray[np.int32]


def _mulaw() -> Pcm:
    """Table 2 of the standard: sign, three bits of segment, four of position, all inverted on the line."""
    codes = ~CODES & 0xFF
    segment, position = codes >> 4 & 7, codes & 15
    magnitude = ((2 * position + MULAW_BIAS) << segment) - MULAW_BIAS
    return _signed(magnitude << MULAW_SHIFT, negative=codes & SIGN > 0)


def _alaw() -> Pcm:
    """Table 1 of the standard: the two lowest segments have the same step."""
    codes = CODES ^ ALAW_TOGGLED
    segment, position = codes >> 4 & 7, codes & 15
    magnitude = (2 * position + np.where(segment > 0, 33, 1)) << np.maximum(segment - 1, 0)
    return _signed(magnitude << ALAW_SHIFT, negative=codes & SIGN == 0)


def _signed(magnitude: Whole, negative: npt.NDArray[np.bool_]) -> Pcm:
    table: Pcm = np.where(negative, -magnitude, magnitude).astype(np.int16)
    table.setflags(write=False)
    return table


MULAW: Final = _mulaw()
ALAW: Final = _alaw()
