"""How much one stream may ask for."""

from dataclasses import dataclass
from typing import Final

from cortex_transcriber.speech.frames import LONGEST_FRAME_MS, MOST_CHANNELS, MS, RATES, SAMPLE_BYTES

MAX_FRAME_BYTES: Final = max(RATES) * LONGEST_FRAME_MS // MS * max(SAMPLE_BYTES.values()) * MOST_CHANNELS
"""Of one payload: the longest frame of the widest samples at the highest rate. A whole message of such frames still is
below what the server takes."""

MAX_FRAMES: Final = 100
"""Payloads in one message: ten seconds of the longest frames, more than any bot should hold back."""

MAX_PEERS: Final = 64
"""Peers of one stream: voice rooms of games hold tens of people, and each costs memory while it is there."""


@dataclass(frozen=True)
class Limits:
    """What one stream may carry, as `opened` tells the bot."""

    max_peers: int = MAX_PEERS
    max_frame_bytes: int = MAX_FRAME_BYTES
    max_frames: int = MAX_FRAMES
