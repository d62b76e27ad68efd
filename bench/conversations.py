"""Two conversations at 16 kHz, one track for each speaker: the demo's meeting, and two people who read in turn."""

import wave
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soxr
from cortex_client.demo.meeting import load
from numpy.typing import NDArray

Pcm = NDArray[np.int16]

RATE = 16_000
SAID = {
    "beckett": "Ever tried. Ever failed. No matter. Try again. Fail again. Fail better.",
    "two_cities": """It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of
        foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the season of light, it was the
        season of darkness, it was the spring of hope, it was the winter of despair, we had everything before us, we had
        nothing before us, we were all going direct to heaven, we were all going direct the other way. In short, the
        period was so far like the present period that some of its noisiest authorities insisted on its being received,
        for good or for evil, in the superlative degree of comparison only.""",
}
TALKING = 0.3
"""The share of the time that a speaker talks, as in a room where several people do."""

WINDOW = RATE // 50
QUIET = 0.05
"""A window whose loudest sample is below this share of the recording's loudest is no speech."""

BREATH = 15
"""Quiet windows, 0.3 s, where a reader may be interrupted."""


@dataclass(frozen=True)
class Track:
    """One speaker.

    Attributes:
        name: of the recording.
        pcm: the whole conversation as this speaker's client sends it.
        said: the words.
    """

    name: str
    pcm: Pcm
    said: str

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.pcm) / RATE


Conversation = Sequence[Track]


def conversations(recordings: Path) -> Sequence[Conversation]:
    """Both, every track of one as long as the others."""
    return _meeting(), _readings(recordings)


def _meeting() -> Conversation:
    return _of_one_length(
        [
            Track(speaker.user_id, at_16_khz(_pcm(speaker.pcm), speaker.sample_rate), " ".join(_texts(speaker.lines)))
            for speaker in load().speakers
        ]
    )


def _texts(lines: Sequence[object]) -> list[str]:
    return [str(line.text) for line in lines]  # type: ignore[attr-defined]


def voices(recordings: Path) -> Conversation:
    """Everybody who is heard in them; the readers without pauses between what they say."""
    return [*_meeting(), *_read(recordings)]


def _readings(recordings: Path) -> Conversation:
    return _of_one_length([replace(track, pcm=with_pauses(track.pcm)) for track in _read(recordings)])


def _read(recordings: Path) -> Conversation:
    tracks = []
    for name, said in SAID.items():
        with wave.open(str(recordings / f"{name}.wav")) as recording:
            pcm = at_16_khz(_pcm(recording.readframes(recording.getnframes())), recording.getframerate())
        tracks.append(Track(name, pcm, said))
    return tracks


def _pcm(data: bytes) -> Pcm:
    return np.frombuffer(data, dtype="<i2")


def at_16_khz(pcm: Pcm, rate: int) -> Pcm:
    """A recording at the rate that both contenders get."""
    if rate == RATE:
        return pcm
    converted: Pcm = soxr.resample(pcm, rate, RATE)
    return converted


def with_pauses(pcm: Pcm) -> Pcm:
    """A reading with a pause wherever the reader breathes, so long that others could talk meanwhile.

    The pauses are as noisy as the reader's room.
    """
    quiet = quiet_windows(pcm)
    noise = float(_windows(pcm)[quiet].std())
    pieces: list[Pcm] = []
    for phrase in _phrases(pcm, quiet):
        pieces += [phrase, _noise(int(len(phrase) * (1 / TALKING - 1)), noise)]
    return np.concatenate(pieces)


def _windows(pcm: Pcm) -> Pcm:
    return pcm[: len(pcm) // WINDOW * WINDOW].reshape(-1, WINDOW)


def quiet_windows(pcm: Pcm) -> NDArray[np.bool_]:
    """Whether each window is quiet."""
    loudest = np.abs(_windows(pcm).astype(np.int32)).max(axis=1)
    quiet: NDArray[np.bool_] = loudest < QUIET * loudest.max()
    return quiet


def _phrases(pcm: Pcm, quiet: NDArray[np.bool_]) -> list[Pcm]:
    """A reading, cut in the middle of each silence that is long enough."""
    cuts, run = [], 0
    for index, is_quiet in enumerate([*quiet, False]):
        if not is_quiet and run >= BREATH and index > run:
            cuts.append((index - run // 2) * WINDOW)
        run = run + 1 if is_quiet else 0
    return [phrase for phrase in np.split(pcm, cuts) if len(phrase)]


def _noise(samples: int, deviation: float) -> Pcm:
    noise: Pcm = np.rint(np.random.default_rng(samples).normal(0, deviation, samples)).astype(np.int16)
    return noise


def _of_one_length(tracks: Conversation) -> Conversation:
    longest = max(len(track.pcm) for track in tracks)
    return [
        Track(track.name, np.concatenate([track.pcm, _silence(longest - len(track.pcm))]), track.said)
        for track in tracks
    ]


def _silence(samples: int) -> Pcm:
    return np.zeros(samples, dtype=np.int16)


def write_wav(path: Path, tracks: Sequence[Track]) -> None:
    """Tracks one after the other, a second of silence between them."""
    between = _silence(RATE).tobytes()
    with wave.open(str(path), "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(RATE)
        for track in tracks:
            recording.writeframes(track.pcm.astype("<i2").tobytes() + between)
