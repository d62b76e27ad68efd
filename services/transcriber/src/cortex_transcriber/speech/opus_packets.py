"""What an Opus packet says about itself (RFC 6716, section 3.1 and 3.2), without decoding it."""

from typing import Final

LARGEST_FRAME: Final = 1_275
"""Bytes of one compressed frame at most."""

SILK_US: Final = (10_000, 20_000, 40_000, 60_000)
HYBRID_US: Final = (10_000, 20_000)
CELT_US: Final = (2_500, 5_000, 10_000, 20_000)
FIRST_HYBRID: Final = 12
FIRST_CELT: Final = 16
"""Configurations: how long a frame is in each of the codec's modes, in microseconds."""

ONE_FRAME: Final = 0
ANY_NUMBER: Final = 3
"""Values of the first byte's last two bits; the others stand for two frames."""


def duration_us(packet: bytes) -> int:
    """How long the audio of a packet is, in microseconds; 0 for one that does not say."""
    return _frame_us(packet[0] >> 3) * frames_in(packet) if packet else 0


def frames_in(packet: bytes) -> int:
    """How many compressed frames a packet holds; 0 for one that does not say."""
    if not packet:
        return 0
    match packet[0] & 3:
        case 0:
            return 1
        case 3:
            return packet[1] & 0x3F if len(packet) > 1 else 0
        case _:
            return 2


def lost_like(packet: bytes) -> bytes:
    """A packet as long as one frame of this one that holds nothing: a decoder takes it for a lost one."""
    return bytes([packet[0] & ~3])


def frame_us(packet: bytes) -> int:
    """How long each compressed frame of a packet is, in microseconds."""
    return _frame_us(packet[0] >> 3)


def _frame_us(configuration: int) -> int:
    if configuration < FIRST_HYBRID:
        return SILK_US[configuration & 3]
    return HYBRID_US[configuration & 1] if configuration < FIRST_CELT else CELT_US[configuration & 3]
