"""Sounds that nobody says anything in: noise, tones, clicks, and what sounds like music."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from cortex_transcriber.speech.recogniser import SAMPLE_RATE

Wave = npt.NDArray[np.float64]
SECONDS = 6
TIME = np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE
NOTES = (261.6, 329.6, 392.0, 440.0, 349.2, 293.7)


def random() -> np.random.Generator:
    """The same noise in every run."""
    return np.random.default_rng(11)


def coloured(level: float, slope: float) -> Wave:
    """Noise whose power falls with frequency; slope 0 is white, 1 pink, 2 brown."""
    spectrum = np.fft.rfft(random().normal(size=len(TIME)))
    frequencies = np.maximum(1, np.arange(len(spectrum)))
    noise = np.fft.irfft(spectrum / frequencies ** (slope / 2), len(TIME))
    return np.asarray(level * noise / noise.std())


def tone(frequency: float) -> Wave:
    """A sine."""
    return 8_000 * np.sin(2 * np.pi * frequency * TIME)


def played(intervals: tuple[float, ...], seconds: float) -> Wave:
    """Notes one after the other, each with overtones, sounding with others at these intervals."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    shape = np.minimum(1, np.minimum(time, time[::-1]) / 0.02)
    sounds = [
        shape * sum(np.sin(2 * np.pi * note * interval * k * time) / k for interval in intervals for k in range(1, 7))
        for note in NOTES * 2
    ]
    return 2_000 * np.concatenate(sounds)


def struck(length: int, decay: float, every_s: float) -> Wave:
    """Short bursts that die away: clicks, keys, knocks, coughs."""
    burst = random().normal(size=length) * 8_000 * np.exp(-np.arange(length) / decay)
    sound = np.zeros(len(TIME))
    for at in range(0, len(TIME) - length, int(every_s * SAMPLE_RATE)):
        sound[at : at + length] = burst
    return sound


def gated(sound: Wave, frequency: float) -> Wave:
    """A sound that comes and goes."""
    return sound * (np.sin(2 * np.pi * frequency * TIME) > 0)


SOUNDS: dict[str, Callable[[], Wave]] = {
    "silence": lambda: np.zeros(len(TIME)),
    "faint hiss": lambda: coloured(100, 0),
    "white noise": lambda: coloured(3_000, 0),
    "pink noise": lambda: coloured(4_000, 1),
    "brown noise": lambda: coloured(4_000, 2),
    "full scale noise": lambda: random().uniform(-32_767, 32_767, len(TIME)),
    "breath": lambda: gated(coloured(2_500, 1), 0.4),
    "low tone": lambda: tone(100),
    "tone": lambda: tone(440),
    "high tone": lambda: tone(3_000),
    "hum": lambda: sum((tone(50 * k) / k for k in range(1, 9)), np.zeros(len(TIME))) / 3,
    "telephone": lambda: gated((tone(440) + tone(480)) / 2, 0.5),
    "sweep": lambda: 8_000 * np.sin(2 * np.pi * (100 + 200 * TIME) * TIME),
    "square": lambda: 20_000 * np.sign(tone(150)),
    "full scale square": lambda: 32_767 * np.sign(tone(300)),
    "clicks": lambda: struck(2, 10, 0.33),
    "keys": lambda: struck(300, 40, 0.13),
    "knocks": lambda: struck(800, 80, 0.5),
    "coughs": lambda: struck(4_000, 1_200, 1.7),
    "melody": lambda: played((1,), 0.3),
    "chords": lambda: played((1, 1.26, 1.5), 0.6),
    "organ": lambda: played((0.5, 1, 1.5, 2), 1.2) / 2,
    "buzz": lambda: played((1,), 0.5)[: len(TIME)] * (1 + np.sin(2 * np.pi * 4 * TIME)) / 2,
}


def pcm_of(sound: Wave) -> npt.NDArray[np.int16]:
    """As 16 bits."""
    return np.clip(sound, -32_768, 32_767).astype(np.int16)
