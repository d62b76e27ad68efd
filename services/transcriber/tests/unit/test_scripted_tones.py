"""The words of tests that are resampled and coded."""

import numpy as np
import pytest
from cortex_transcriber.adapters.decoders import new_decoder
from cortex_transcriber.adapters.scripted_recogniser import ScriptedRecogniser
from cortex_transcriber.adapters.scripted_tones import sung, tones_heard
from cortex_transcriber.speech.decoding import FULL_SCALE
from cortex_transcriber.speech.frames import AudioFormat, Encoding

from services.transcriber.tests.formats import payloads_of

pytestmark = pytest.mark.unit

FORMATS = [
    AudioFormat(16_000, 20),
    AudioFormat(8_000, 20),
    AudioFormat(8_000, 20, Encoding.MULAW),
    AudioFormat(44_100, 20, channels=2),
    AudioFormat(48_000, 20, Encoding.PCM_F32LE),
    AudioFormat(48_000, 20, Encoding.OPUS),
]


def murmur() -> np.ndarray:
    """Ten seconds that sound as low as a voice: noise through a falling spectrum, loud and silent by turns."""
    noise = np.random.default_rng(3).normal(scale=200, size=160_000)
    low = np.convolve(noise, np.hanning(40), mode="same")
    return np.where(np.arange(160_000) % 48_000 < 32_000, low, 0).astype(np.int16)


@pytest.mark.parametrize("audio", FORMATS, ids=str)
def test_words_survive_every_format(audio: AudioFormat) -> None:
    """Each word is heard once and in its place behind any conversion, and none where nobody speaks."""
    laid, words = sung(murmur())
    decoder = new_decoder(audio)
    pcm = np.concatenate([decoder.decode(payloads_of(laid, 16_000, audio)), decoder.flush()])
    assert len(words) > 12
    assert ScriptedRecogniser().recognise(pcm.astype(np.float32) / FULL_SCALE).text.split() == words


def test_what_is_no_pilot_tone_is_no_word() -> None:
    """Noise, silence and a loud low tone say nothing."""
    noise = np.random.default_rng(4).normal(scale=0.1, size=32_000).astype(np.float32)
    hum = (0.9 * np.sin(2 * np.pi * 300 * np.arange(32_000) / 16_000)).astype(np.float32)
    assert not tones_heard(noise)
    assert not tones_heard(hum)
    assert not tones_heard(noise[:100])
    assert not tones_heard(np.zeros(32_000, dtype=np.float32))
