"""Decodes whole files with PyAV, in pieces, and no more than the few formats that are taken.

FFmpeg is told the container, which was found by our own look at the file, and may open the decoders of `CODECS` only:
whatever else a hostile file holds (pictures, video, playlists) reaches no code of it.
"""

import io
from collections.abc import Iterator
from typing import Any, Final

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from cortex_transcriber.adapters.soxr_resampler import SoxrResampler
from cortex_transcriber.recordings.containers import Container, container_of, promised_samples, require_whole
from cortex_transcriber.recordings.refusing import CutOff, Damaged, NotTaken, RecordingRefused
from cortex_transcriber.speech.decoding import FULL_SCALE, Pcm
from cortex_transcriber.speech.recogniser import SAMPLE_RATE

PCM: Final = ("pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_mulaw", "pcm_alaw")
CODECS: Final[dict[Container, tuple[str, ...]]] = {"wav": PCM, "flac": ("flac",), "ogg": ("opus", "libopus")}

LOWEST_RATE, HIGHEST_RATE = 8_000, 192_000
MOST_CHANNELS: Final = 2

PIECE_S: Final = 10
"""Seconds decoded at once: little memory, and a cancelled call is noticed soon."""

PIECE_PACKETS: Final = 1_000
"""Packets looked at at once, for files whose packets hold next to nothing."""

MICROSECONDS: Final = 1_000_000


class AvRecording:
    """One file that is being decoded.

    Attributes:
        promised_s: how many seconds it says it has; None when it does not say.

    Raises:
        RecordingRefused: it is none of the formats that are taken, or not whole.
    """

    def __init__(self, data: bytes) -> None:
        kind = container_of(data)
        require_whole(data, kind)
        self._container = _opened(data, kind)
        self._audio = _audio_of(self._container, kind)
        self._rate, self._channels = self._audio.codec_context.sample_rate, self._audio.codec_context.channels
        _require_fitting(self._rate, self._channels)
        self._promised = promised_samples(data) if kind == "flac" else 0
        duration = self._container.duration
        self.promised_s = None if duration is None else duration / MICROSECONDS
        self._decoded = 0
        self._resampler = None if self._rate == SAMPLE_RATE else SoxrResampler(self._rate)
        self._frames = self._decode()
        self._ended = False

    def read(self) -> Pcm | None:
        """The next piece of mono audio at 16 kHz; None at the end. Raises RecordingRefused when it is damaged."""
        if self._ended:
            return None
        until = self._decoded + PIECE_S * self._rate
        pieces: list[Pcm] = []
        try:
            for _ in range(PIECE_PACKETS):
                if self._decoded >= until:
                    return self._converted(pieces)
                pieces.append(next(self._frames))
        except StopIteration:
            return self._finished(pieces)
        except av.error.FFmpegError as error:
            raise Damaged from error
        return self._converted(pieces)

    def _decode(self) -> Iterator[Pcm]:
        """What each packet holds, at the file's own rate."""
        for packet in self._container.demux(self._audio):
            frames = [self._mono(frame) for frame in packet.decode() if isinstance(frame, AudioFrame)]
            yield np.concatenate(frames) if frames else np.empty(0, dtype=np.int16)

    def _mono(self, frame: AudioFrame) -> Pcm:
        if (frame.sample_rate, frame.layout.nb_channels) != (self._rate, self._channels):
            raise RecordingRefused("must keep its sample rate and its channels from the beginning to the end")
        self._decoded += frame.samples
        return to_mono(frame.to_ndarray(), self._channels, planar=frame.format.is_planar)

    def _converted(self, pieces: list[Pcm]) -> Pcm:
        pcm = np.concatenate(pieces) if pieces else np.empty(0, dtype=np.int16)
        return self._resampler.push(pcm) if self._resampler and len(pcm) else pcm

    def _finished(self, pieces: list[Pcm]) -> Pcm:
        self._ended = True
        if self._decoded < self._promised:
            raise CutOff
        pcm = self._converted(pieces)
        self._container.close()
        return np.concatenate((pcm, self._resampler.flush())) if self._resampler else pcm


def to_mono(samples: npt.NDArray[Any], channels: int, *, planar: bool) -> Pcm:
    """The mean of the channels, 16 bit; what is no number is silence, what is too loud is clipped.

    Args:
        samples: as FFmpeg holds them: [channels, samples] when planar, else [1, samples times channels].
        channels: how many.
        planar: which of the two.
    """
    by_channel = samples if planar else samples.reshape(-1, channels).T
    if samples.dtype == np.int16 and channels == 1:
        exact: Pcm = by_channel[0].astype(np.int16)
        return exact
    scaled = _from_minus_one_to_one(by_channel).mean(axis=0)
    pcm: Pcm = np.clip(np.rint(scaled * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return pcm


def _from_minus_one_to_one(samples: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    exact = samples.astype(np.float64)
    if samples.dtype == np.uint8:
        exact = (exact - 128) / 128
    elif np.issubdtype(samples.dtype, np.integer):
        exact = exact / -float(np.iinfo(samples.dtype).min)
    else:
        exact = np.clip(np.nan_to_num(exact, nan=0.0, posinf=1.0, neginf=-1.0), -1.0, 1.0)
    return exact


def _opened(data: bytes, kind: Container) -> InputContainer:
    options = {"codec_whitelist": ",".join(CODECS[kind])}
    try:
        return av.open(io.BytesIO(data), "r", format=kind, options=options)
    except (av.error.FFmpegError, ValueError) as error:
        raise Damaged from error


def _audio_of(container: InputContainer, kind: Container) -> AudioStream:
    if len(container.streams.audio) != 1:
        raise RecordingRefused("must hold exactly one track of audio")
    audio = container.streams.audio[0]
    if audio.codec_context is None or audio.codec_context.name not in CODECS[kind]:
        raise NotTaken(", with PCM or G.711 in WAV and Opus in Ogg")
    audio.codec_context.thread_count = 1
    return audio


def _require_fitting(rate: int, channels: int) -> None:
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise RecordingRefused(f"must have a sample rate of {LOWEST_RATE} to {HIGHEST_RATE} Hz")
    if not 1 <= channels <= MOST_CHANNELS:
        raise RecordingRefused("must be mono or stereo")
