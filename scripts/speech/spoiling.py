"""What happens to speech before it is sent: noise, babble, rooms. Arrays are samples on the scale of 16 bits."""

import itertools
from collections.abc import Sequence

import numpy as np
import soxr
from numpy.typing import NDArray

from bench.conversations import RATE, Pcm
from scripts.speech.voices import FRAME, Voice

Wave = NDArray[np.float64]

ACTIVE = 0.001
"""Frames with at least this share of the loudest one's power, 30 dB below, count for the level of speech."""

COPIES = 2
"""How often each of the other voices is in the babble, from different places on."""

RT60_S = 0.5
"""Seconds in which the room's echo falls by 60 dB: a furnished living room."""

FIRST_ECHO_S = 0.0025
"""The first wall is less than a metre away."""


def power(sound: Wave | Pcm) -> float:
    """Mean power of what is active: pauses do not count."""
    frames = np.square(np.asarray(sound[: len(sound) // FRAME * FRAME], dtype=np.float64)).reshape(-1, FRAME)
    powers = frames.mean(axis=1)
    return float(powers[powers >= ACTIVE * powers.max()].mean())


def with_noise(voice: Voice, noise: Wave, snr_db: float) -> Pcm:
    """Speech and noise, so many decibels apart."""
    gain = np.sqrt(power(voice.speech) / np.square(noise).mean() / 10 ** (snr_db / 10))
    return fitted(voice.pcm + gain * noise)


def white(samples: int, random: np.random.Generator) -> Wave:
    """White noise."""
    return random.normal(size=samples)


def babble(others: Sequence[Voice], samples: int, random: np.random.Generator) -> Wave:
    """Others who talk without a pause, each equally loud, each twice."""
    sum_of_all = np.zeros(samples)
    for other in itertools.chain.from_iterable(itertools.repeat(others, COPIES)):
        talk = other.speech / np.sqrt(power(other.speech))
        sum_of_all += np.resize(np.roll(talk, int(random.integers(len(talk)))), samples)
    return sum_of_all


def in_a_room(voice: Voice, random: np.random.Generator) -> Pcm:
    """Speech and its echo: noise that falls exponentially, all together as loud as the direct sound."""
    time = np.arange(int(RT60_S * RATE)) / RATE
    tail = random.normal(size=len(time)) * 10 ** (-3 * time / RT60_S) * (time >= FIRST_ECHO_S)
    echo = tail / np.sqrt(np.square(tail).sum())
    echo[0] = 1.0
    size = len(voice.pcm) + len(echo)
    wet = np.fft.irfft(np.fft.rfft(voice.pcm, size) * np.fft.rfft(echo, size), size)
    return fitted(wet[: len(voice.pcm)])


def fitted(sound: Wave) -> Pcm:
    """As 16 bits; quieter as a whole where it would not fit."""
    loudest = float(np.abs(sound).max(initial=1.0))
    return np.rint(sound * min(1.0, 32_767 / loudest)).astype(np.int16)


def at_48_khz(pcm: Pcm) -> Pcm:
    """As Opus takes it."""
    converted: Pcm = soxr.resample(pcm, RATE, 48_000)
    return converted
