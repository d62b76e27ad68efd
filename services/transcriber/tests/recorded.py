"""Makes the files of recordings, right ones and hostile ones."""

import io
import struct

import av
import numpy as np
import numpy.typing as npt
from cortex_transcriber.speech.decoding import Pcm

WAV_PCM, WAV_FLOAT, WAV_ALAW, WAV_MULAW = 1, 3, 6, 7


def wav(
    samples: npt.NDArray[np.generic],
    rate: int = 16_000,
    channels: int = 1,
    *,
    form: int = WAV_PCM,
    promised: int | None = None,
    bits: int | None = None,
) -> bytes:
    """A WAV file; `promised` is what its header says of the length of its data."""
    body = samples.tobytes()
    width = bits or samples.dtype.itemsize * 8
    block = channels * width // 8
    fmt = struct.pack("<HHIIHH", form, channels, rate, rate * block & 0xFFFFFFFF, block & 0xFFFF, width)
    size = len(body) if promised is None else promised
    chunks = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", min(len(chunks) + size, 0xFFFFFFFF)) + chunks + body


def encoded(pcm: Pcm, rate: int, container: str, codec: str) -> bytes:
    """A file in a codec of FFmpeg's, mono."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as made:
        stream = made.add_stream(codec, rate=rate, layout="mono")
        for at in range(0, len(pcm), rate // 10):
            frame = av.AudioFrame.from_ndarray(pcm[None, at : at + rate // 10], format="s16", layout="mono")
            frame.sample_rate = rate
            frame.pts = at
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return out.getvalue()


def flac(pcm: Pcm, rate: int = 16_000) -> bytes:
    """A FLAC file."""
    return encoded(pcm, rate, "flac", "flac")


def ogg_opus(pcm: Pcm, rate: int = 48_000) -> bytes:
    """An Ogg Opus file."""
    return encoded(pcm, rate, "ogg", "libopus")


def without_total(data: bytes) -> bytes:
    """The same FLAC, whose header does not say how many samples it has."""
    made = bytearray(data)
    made[21] &= 0xF0
    made[22:26] = bytes(4)
    return bytes(made)
