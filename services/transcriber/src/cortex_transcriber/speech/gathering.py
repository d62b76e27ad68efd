"""Frames that are decoded together when they are looked at: one by one that would cost more than all the rest."""

from collections.abc import Sequence
from typing import Final

from cortex_transcriber.speech.decoding import Decoder
from cortex_transcriber.speech.frames import AudioFormat, Encoding
from cortex_transcriber.speech.ordering import Ordering

MOST: Final = 100
"""Frames that gather at most, ten seconds of the longest: beyond it must be looked whether there is room."""


class Gathering:
    """The frames of one peer that were taken and not decoded; only of decoders that keep nothing between frames.

    Attributes:
        payloads: the frames.
        look_at: so many make another look due; None when nobody has asked since the last look.
    """

    def __init__(self, audio: AudioFormat, decoder: Decoder, ordering: Ordering) -> None:
        self.payloads: list[bytes] = []
        self.look_at: int | None = None
        self._ordering = ordering
        plain = audio.encoding is Encoding.PCM_S16LE and not decoder.preroll_ms
        self._sizes = {audio.frame_bytes} if plain else set()

    def take_next(self, first_sequence: int, payloads: Sequence[bytes]) -> bool:
        """Take what nearly every message holds: the next frames, each as long as it should be.

        Returns:
            Whether it was that, and there was room. Otherwise nothing was taken.
        """
        if set(map(len, payloads)) != self._sizes or len(self.payloads) + len(payloads) > MOST:
            return False
        if not self._ordering.follow(first_sequence, len(payloads)):
            return False
        self.payloads += payloads
        return True
