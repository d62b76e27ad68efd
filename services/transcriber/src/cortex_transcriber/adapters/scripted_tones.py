"""Words for tests in audio that is resampled and coded: pilot tones laid under speech, which survive both.

The tones lie where telephones still pass them. Speech loses what it has there, which voices are recognised without.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

import numpy as np
import numpy.typing as npt

from cortex_transcriber.speech.recogniser import SAMPLE_RATE, Samples

LOWEST: Final = 2_000
STEP: Final = 100
TONES: Final = 16
"""Pilot tones of 2,000 to 3,500 Hz; a word is one of them."""

WORD_S: Final = 0.16
EVERY_S: Final = 0.4
"""A word's length, and from one word's beginning to the next one's: none runs into its neighbour."""

LEVEL: Final = 0.4
"""A tone's amplitude in the speech's: enough to be found behind a codec, too little to hide the voice."""

AUDIBLE: Final = 300.0
"""Root mean square of 16-bit samples below which nobody speaks, so that no word is laid into a pause."""

QUIETEST: Final = 1_500.0
"""A word under quieter speech is as loud as under this, since codecs drop what is faint."""

WINDOW: Final = SAMPLE_RATE * 80 // 1_000
HOP: Final = SAMPLE_RATE * 20 // 1_000
"""Looked at at once: 80 ms, whose bins of 12.5 Hz keep tones apart; a word has several windows of its own."""

BIN_HZ: Final = SAMPLE_RATE / WINDOW
BINS: Final = ((LOWEST + STEP * np.arange(TONES)) / BIN_HZ).astype(int)
BAND: Final = slice(int(BINS[0]) - 10, int(BINS[-1]) + 20)

MOST_OF_BAND: Final = 0.6
"""Share of what sounds around the tones that must be one of them."""

SOME_OF_ALL: Final = 0.001
"""Share of everything audible that the tones' band must have: leakage of a loud low tone is no word."""

FEWEST_WINDOWS: Final = 3
"""A word is found in so many windows in a row; it lasts for five."""

Pcm = npt.NDArray[np.int16]


def sung(pcm: Pcm) -> tuple[Pcm, list[str]]:
    """16 kHz speech with words laid under it, and the words: no two neighbours are the same."""
    laid, words = _without_band(pcm), list[str]()
    length, step = int(WORD_S * SAMPLE_RATE), int(EVERY_S * SAMPLE_RATE)
    for at in range(0, len(pcm) - length, step):
        speech = laid[at : at + length]
        loudness = float(np.sqrt(np.mean(speech**2)))
        if loudness >= AUDIBLE:
            tone = len(words) * 5 % TONES  # 5 and 16 have no common divisor: all tones come, far from the one before
            speech += LEVEL * max(loudness, QUIETEST) * _tone(tone, length)
            words.append(word(tone))
    return np.clip(np.rint(laid), -32_768, 32_767).astype(np.int16), words


def word(tone: int) -> str:
    """What stands in a text for a tone."""
    return f"tone{tone}"


def tones_heard(samples: Samples) -> Sequence[str]:
    """The words in these samples, in their order."""
    if len(samples) < WINDOW:
        return []
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(windows * np.hanning(WINDOW), axis=1)) ** 2
    band, whole = power[:, BAND].sum(axis=1), power.sum(axis=1)
    each = np.stack([power[:, at - 1 : at + 2].sum(axis=1) for at in BINS], axis=1)
    sounding = (each.max(axis=1) > MOST_OF_BAND * band) & (band > SOME_OF_ALL * whole)
    found = np.where(sounding, each.argmax(axis=1), -1).tolist()
    runs = [(tone, len(list(run))) for tone, run in groupby(found)]
    return [word(tone) for tone, length in runs if tone >= 0 and length >= FEWEST_WINDOWS]


def _without_band(pcm: Pcm) -> npt.NDArray[np.float64]:
    """Speech that leaves the tones to themselves."""
    spectrum = np.fft.rfft(pcm)
    hertz = np.fft.rfftfreq(len(pcm), 1 / SAMPLE_RATE)
    spectrum[(hertz > LOWEST - 2 * STEP) & (hertz < LOWEST + (TONES + 1) * STEP)] = 0
    speech: npt.NDArray[np.float64] = np.fft.irfft(spectrum, len(pcm))
    return speech


def _tone(tone: int, length: int) -> npt.NDArray[np.float64]:
    """One that begins and ends without a click."""
    time = np.arange(length) / SAMPLE_RATE
    wave: npt.NDArray[np.float64] = np.sin(2 * np.pi * (LOWEST + STEP * tone) * time) * np.hanning(length) ** 0.25
    return wave
