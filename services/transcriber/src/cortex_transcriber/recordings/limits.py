"""How much of recordings one process takes."""

from dataclasses import dataclass
from typing import Final

MIB: Final = 1 << 20

LARGEST_BYTES: Final = 32 * MIB
"""Of one file: a quarter of an hour of 16 kHz WAV, hours of Opus. It is held in memory while it is heard."""

LONGEST_S: Final = 1_800
"""Of one recording: half an hour takes a core about a minute."""

AT_ONCE: Final = 2
"""Recordings heard at once. Each takes a thread, and turns of the recogniser that interims wait for."""


@dataclass(frozen=True)
class RecordingLimits:
    """Bounds of `Recognize`.

    Attributes:
        largest_bytes: of one file.
        longest_s: seconds of one recording.
        at_once: recordings; further ones are refused with a retry delay.
    """

    largest_bytes: int = LARGEST_BYTES
    longest_s: int = LONGEST_S
    at_once: int = AT_ONCE
