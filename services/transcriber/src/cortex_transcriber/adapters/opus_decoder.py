"""Raw Opus packets, decoded by libopus through PyAV."""

from collections.abc import Sequence
from typing import Final

import av
import numpy as np

from cortex_transcriber.speech import opus_packets
from cortex_transcriber.speech import payloads as checks
from cortex_transcriber.speech.decoding import PREROLL_MS, Resampler
from cortex_transcriber.speech.frames import MS, AudioFormat
from cortex_transcriber.speech.pcm import Pcm

CODEC: Final = "libopus"
"""Not FFmpeg's own decoder, which puts silence where a packet is missing; libopus goes on with the last sound."""

OPUS_RATE: Final = 48_000
"""Hertz that packets decode to, whatever they were made from."""

CONCEALED_MS: Final = 100
"""Longest loss that is filled with a guess. Of more than about a phoneme nothing can be guessed."""


class OpusDecoder:
    """One stream's decoder. Silent, it holds no memory.

    Stereo packets come out as one channel: libopus averages them.

    Attributes:
        preroll_ms: see `Decoder`.
        corrupt: see `Decoder`.
    """

    def __init__(self, audio: AudioFormat, resampler: Resampler) -> None:
        self.preroll_ms = PREROLL_MS
        self.corrupt = 0
        self._audio = audio
        self._frame = audio.frame_ms * OPUS_RATE // MS
        self._resampler = resampler
        self._codec: av.AudioCodecContext | None = None
        self._last = b""
        self._missing = 0

    def check(self, payloads: Sequence[bytes]) -> None:
        """Each payload is a packet as long as a frame."""
        checks.check(self._audio, payloads)

    def decode(self, payloads: Sequence[bytes]) -> Pcm:
        """Samples of these packets, and of a broken one a guess."""
        self._missing = 0
        return self._resampler.push(np.concatenate([self._decoded(payload) for payload in payloads]))

    def conceal(self, frames: int) -> Pcm | None:
        """A guess from what came before, unless that is too little or too much is missing."""
        self._missing += frames
        if not self._last or self._missing * self._audio.frame_ms > CONCEALED_MS:
            return None
        return self._resampler.push(np.concatenate([self._guess() for _ in range(frames)]))

    def flush(self) -> Pcm:
        """What the resampler still holds."""
        self._codec, self._last = None, b""
        return self._resampler.flush()

    def _decoded(self, packet: bytes) -> Pcm:
        samples = self._samples(packet)
        if len(samples) == self._frame:
            self._last = packet
            return samples
        self.corrupt += 1
        return self._guess()

    def _guess(self) -> Pcm:
        """One frame that continues the last one that was understood."""
        guess = np.zeros(self._frame, dtype=np.int16)
        if self._last:
            lost = opus_packets.lost_like(self._last)
            pieces = [self._samples(lost) for _ in range(self._audio.frame_ms * MS // opus_packets.frame_us(lost))]
            samples = np.concatenate(pieces)[: self._frame]
            guess[: len(samples)] = samples
        return guess

    def _samples(self, packet: bytes) -> Pcm:
        """Whatever the codec makes of a packet; nothing of one that it refuses."""
        if self._codec is None:
            self._codec = _new_codec()
        try:
            frames = self._codec.decode(av.Packet(packet))
        except av.FFmpegError:
            return np.empty(0, dtype=np.int16)
        pieces = [frame.to_ndarray()[0] for frame in frames]
        return pieces[0] if len(pieces) == 1 else np.concatenate([np.empty(0, dtype=np.int16), *pieces])


def _new_codec() -> av.AudioCodecContext:
    codec = av.AudioCodecContext.create(CODEC, "r")
    codec.sample_rate = OPUS_RATE
    codec.layout = "mono"
    return codec
