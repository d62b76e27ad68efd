"""Audio to measure a model with: always the same, as long as people's utterances are, and enough like speech.

A voice in the source-filter manner of Klatt (JASA 67, 1980): a pulse train with a falling pitch, through resonances
that glide from one vowel to the next, in syllables, with breath between them. Nobody says anything, but a model has as
many tokens to write as for speech; of plain noise it would write one or two.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from cortex_transcriber.speech.recogniser import SAMPLE_RATE, Samples

LENGTHS: Final = (2.4, 1.2, 4.1, 1.8, 3.2, 0.9, 6.0, 2.4)
"""Seconds: about the octiles of a log-normal distribution with median 2.4 s and sigma 0.75, as utterances in
conversations have; the median first and last."""

VOWELS: Final = ((730, 1090, 2440), (270, 2290, 3010), (570, 840, 2410), (530, 1840, 2480), (300, 870, 2240))
"""Hertz of the first three resonances: /a/, /i/, /o/, /e/, /u/ of Peterson and Barney (JASA 24, 1952)."""

BANDWIDTH: Final = 90.0
SYLLABLES: Final = 4.5
"""A second, as in fluent English."""

PITCH: Final = 120.0
LOUDEST, BREATH = 0.3, 0.02
HIGHEST: Final = 4_500.0
"""Hertz of the highest harmonic: what telephones carry, and more."""

STEPS: Final = 200
"""A second, in which pitch and resonances move; a mouth is slower."""

Curve = npt.NDArray[np.float64]


def utterances() -> Sequence[Samples]:
    """All of them."""
    return [_utterance(seconds, seed) for seed, seconds in enumerate(LENGTHS)]


def _utterance(seconds: float, seed: int) -> Samples:
    chance = np.random.default_rng(seed)
    steps = np.arange(int(seconds * STEPS) + 1) / STEPS
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    pitch = PITCH * (1.1 - 0.2 * steps / seconds + 0.05 * np.sin(2 * np.pi * 0.7 * steps + seed))
    turn = np.exp(2j * np.pi * np.cumsum(np.interp(time, steps, pitch)) / SAMPLE_RATE)
    resonances = _resonances(steps, chance)
    voice, harmonic = np.zeros_like(time), np.ones_like(turn)
    for number in range(1, int(HIGHEST / PITCH)):
        harmonic *= turn
        voice += np.interp(time, steps, _loudness(number * pitch, resonances)) * harmonic.imag
    voice *= np.sin(np.pi * SYLLABLES * time) ** 2
    voice += chance.normal(scale=BREATH * np.abs(voice).max(), size=len(time))
    return np.asarray(LOUDEST * voice / np.abs(voice).max(), dtype=np.float32)


def _resonances(steps: Curve, chance: np.random.Generator) -> Sequence[Curve]:
    """Gliding from one vowel to the next with each syllable."""
    syllables = np.arange(int(steps[-1] * SYLLABLES) + 2) / SYLLABLES
    vowels = np.array(VOWELS)[chance.integers(len(VOWELS), size=len(syllables))]
    return [np.interp(steps, syllables, each) for each in vowels.T]


def _loudness(hertz: Curve, resonances: Sequence[Curve]) -> Curve:
    """Of a harmonic: the source falls by 6 dB an octave, each resonance lifts what is near."""
    lifted = np.sum([1 / (1 + ((hertz - each) / BANDWIDTH) ** 2) for each in resonances], axis=0)
    return np.asarray((lifted + 0.01) * PITCH / hertz)
