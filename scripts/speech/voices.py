"""Who is heard: the readings in the model's wheel, and the voices of the demo's meeting, all at 16 kHz."""

import wave
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from cortex_client.demo.meeting import GATE_MS, MeetingSpeaker, load

from bench.conversations import RATE, SAID, WINDOW, Pcm, at_16_khz, quiet_windows

Span = tuple[int, int]

FRAME = RATE // 50
"""Samples of 20 ms, in which everything is sent."""

PAUSE_MS = 500
"""Silence of a reader that ends an utterance: as much as ends one in the service, unless it is set otherwise."""

SHORTEST_MS = 200
"""What is loud for a shorter time than this is a breath or a page."""

BETWEEN_MS = 800
"""From one utterance to the next of somebody who does not wait for others."""


@dataclass(frozen=True)
class Voice:
    """One speaker of a source.

    Attributes:
        name: of the recording.
        said: the words.
        pcm: the recording.
        spoken: whole utterances, from sample to sample, as the script cuts them.
        gated: whether the voice server sends only what is spoken, as the demo's does.
    """

    name: str
    said: str
    pcm: Pcm
    spoken: Sequence[Span]
    gated: bool = False

    @property
    def speech(self) -> Pcm:
        """The recording without what lies between the utterances."""
        return np.concatenate([self.pcm[start:end] for start, end in self.spoken])

    def without_waiting(self) -> "Voice":
        """The same utterances, one soon after the other."""
        between = np.zeros(_samples(BETWEEN_MS), dtype=np.int16)
        pieces, spoken, at = [], [], 0
        for start, end in self.spoken:
            pieces += [self.pcm[start:end], between]
            spoken.append((at, at + end - start))
            at += end - start + len(between)
        return replace(self, pcm=np.concatenate(pieces), spoken=spoken)


@dataclass(frozen=True)
class Source:
    """Voices that belong together."""

    name: str
    voices: Sequence[Voice]


def sources(recordings: Path) -> Sequence[Source]:
    """Both."""
    return Source("Human readings", humans(recordings)), Source("Rendered voices", rendered())


def humans(recordings: Path) -> Sequence[Voice]:
    """The readings, cut wherever the reader pauses for half a second."""
    return [_reading(recordings / f"{name}.wav", said) for name, said in SAID.items()]


def rendered() -> Sequence[Voice]:
    """The meeting's speakers, cut where the script says that a line begins and ends."""
    return [_speaker(speaker) for speaker in load().speakers]


def _reading(path: Path, said: str) -> Voice:
    with wave.open(str(path)) as recording:
        pcm = np.frombuffer(recording.readframes(recording.getnframes()), dtype="<i2")
        pcm = at_16_khz(pcm, recording.getframerate())
    pcm = whole_frames(pcm)
    return Voice(path.stem, " ".join(said.split()), pcm, _utterances(pcm))


def _utterances(pcm: Pcm) -> Sequence[Span]:
    """Whatever is loud, up to the next pause, with as much around it as the demo's gate lets through."""
    loud = np.flatnonzero(~quiet_windows(pcm))
    runs = np.split(loud, np.flatnonzero(np.diff(loud) > _samples(PAUSE_MS) // WINDOW) + 1)
    around = _samples(GATE_MS)
    return [
        (max(0, int(run[0]) * WINDOW - around), min(len(pcm), (int(run[-1]) + 1) * WINDOW + around))
        for run in runs
        if len(run) * WINDOW >= _samples(SHORTEST_MS)
    ]


def _samples(ms: int) -> int:
    return ms * RATE // 1_000


def _speaker(speaker: MeetingSpeaker) -> Voice:
    pcm = whole_frames(at_16_khz(np.frombuffer(speaker.pcm, dtype="<i2"), speaker.sample_rate))
    around = _samples(GATE_MS)
    spans = [
        (max(0, round(line.starts * RATE) - around), min(len(pcm), round(line.ends * RATE) + around))
        for line in speaker.lines
    ]
    return Voice(speaker.user_id, " ".join(line.text for line in speaker.lines), pcm, _merged(spans), gated=True)


def _merged(spans: Sequence[Span]) -> Sequence[Span]:
    """Whole frames, and one gate where two open at the same time."""
    merged: list[Span] = []
    for start, end in ((start // FRAME * FRAME, -(-end // FRAME) * FRAME) for start, end in spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def whole_frames(pcm: Pcm) -> Pcm:
    """The same, filled up with silence."""
    return np.pad(pcm, (0, -len(pcm) % FRAME))
