"""How the transcriber's tests write audio in each of the formats that a peer may send."""

from fractions import Fraction

import av
import numpy as np
import soxr
from cortex_transcriber.speech.decoding import FULL_SCALE, Pcm
from cortex_transcriber.speech.frames import AudioFormat, Encoding

G711_CODECS = {Encoding.MULAW: "pcm_mulaw", Encoding.ALAW: "pcm_alaw"}
OPUS_RATE = 48_000
OPUS_BITS = 24_000
"""Bits a second: what voice chats usually spend on speech."""


def payloads_of(pcm: Pcm, rate: int, audio: AudioFormat) -> list[bytes]:
    """A mono recording as a peer would send it; a rest shorter than a frame is left out."""
    at = OPUS_RATE if audio.encoding is Encoding.OPUS else audio.sample_rate
    samples = pcm if at == rate else soxr.resample(pcm, rate, at)
    return packed(np.repeat(samples, audio.channels), audio)


def packed(samples: Pcm, audio: AudioFormat) -> list[bytes]:
    """Samples that have the rate and the channels of a format, in its frames."""
    if audio.encoding is Encoding.OPUS:
        return opus_packets(samples, audio)
    data = _bytes(samples, audio.encoding)
    size = audio.frame_bytes
    return [data[at : at + size] for at in range(0, len(data) - size + 1, size)]


def opus_packets(samples: Pcm, audio: AudioFormat, **options: str) -> list[bytes]:
    """Packets by libopus, at 48 kHz."""
    encoder = av.AudioCodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.format, encoder.bit_rate = OPUS_RATE, "s16", OPUS_BITS
    encoder.layout = "stereo" if audio.channels == 2 else "mono"
    encoder.time_base = Fraction(1, OPUS_RATE)
    encoder.options = {"application": "voip", "frame_duration": str(audio.frame_ms), **options}
    size = audio.frame_ms * OPUS_RATE // 1_000 * audio.channels
    packets = []
    for at in range(0, len(samples) - size + 1, size):
        frame = av.AudioFrame.from_ndarray(samples[None, at : at + size], format="s16", layout=encoder.layout.name)
        frame.sample_rate, frame.pts = OPUS_RATE, at // audio.channels
        packets += encoder.encode(frame)
    return [bytes(packet) for packet in packets]


def through_av(data: bytes, encoding: Encoding) -> Pcm:
    """What FFmpeg makes of G.711."""
    decoder = av.AudioCodecContext.create(G711_CODECS[encoding], "r")
    assert isinstance(decoder, av.AudioCodecContext)
    decoder.sample_rate, decoder.layout = 8_000, "mono"
    return np.concatenate([frame.to_ndarray()[0] for frame in decoder.decode(av.Packet(data))])


def _bytes(samples: Pcm, encoding: Encoding) -> bytes:
    if encoding is Encoding.PCM_S16LE:
        return samples.astype("<i2").tobytes()
    if encoding is Encoding.PCM_F32LE:
        return (samples / FULL_SCALE).astype("<f4").tobytes()
    encoder = av.AudioCodecContext.create(G711_CODECS[encoding], "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.format, encoder.layout = 8_000, "s16", "mono"
    encoder.time_base = Fraction(1, 8_000)
    frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
    frame.sample_rate = 8_000
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])
