"""From the bytes of uncompressed frames to one channel of samples, still at the peer's rate."""

import numpy as np

from cortex_transcriber.speech.frames import AudioFormat, Encoding
from cortex_transcriber.speech.g711 import ALAW, MULAW
from cortex_transcriber.speech.pcm import FULL_SCALE, WHOLE, Pcm
from cortex_transcriber.speech.recogniser import Samples


def unpack(audio: AudioFormat, data: bytes) -> Pcm | Samples:
    """Samples on the scale of 16 bits: whole numbers, or fractions where the format has them."""
    samples = _samples(audio.encoding, data)
    if audio.channels == 1:
        return samples
    left, right = samples[0::2].astype(np.float32), samples[1::2].astype(np.float32)
    average: Samples = (left + right) * np.float32(0.5)
    return average


def _samples(encoding: Encoding, data: bytes) -> Pcm | Samples:
    samples: Pcm | Samples
    match encoding:
        case Encoding.PCM_S16LE:
            samples = np.frombuffer(data, dtype=WHOLE)
        case Encoding.PCM_F32LE:
            samples = np.multiply(np.clip(np.frombuffer(data, dtype="<f4"), -1, 1), FULL_SCALE, dtype=np.float32)
        case Encoding.MULAW:
            samples = MULAW[np.frombuffer(data, dtype=np.uint8)]
        case Encoding.ALAW:
            samples = ALAW[np.frombuffer(data, dtype=np.uint8)]
        case Encoding.OPUS:
            raise ValueError("Opus is decoded, not unpacked")
    return samples
