"""The demo's meeting as audio that says which of its frames were heard: what the scripted recogniser reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import soxr
from cortex_client.demo.meeting import FRAME_MS, Meeting, MeetingSpeaker, load
from cortex_transcriber.adapters.scripted_recogniser import mark
from cortex_transcriber.speech.recogniser import SAMPLE_RATE

FRAME_SAMPLES = SAMPLE_RATE * FRAME_MS // 1_000

SHORT_S = 15.0
"""A part of the meeting that ends in a pause: each speaker has had a turn by then, and two spoke at once."""


@dataclass(frozen=True)
class Voice:
    """One speaker's part.

    Attributes:
        user_id: as the integrator calls them.
        number: what the marks in their audio say.
        frames: what the bot gets, by sequence number; None while nobody spoke.
        spoken: the sequence numbers in the midst of their lines, where no voice detector may be in doubt.
    """

    user_id: str
    number: int
    frames: Sequence[bytes | None]
    spoken: frozenset[int]


@cache
def voices(seconds: float = SHORT_S) -> Sequence[Voice]:
    """Everybody's part of the first seconds of the meeting, at 16 kHz: marks survive nothing else."""
    meeting = load()
    count = int(seconds * 1_000) // FRAME_MS
    return [_voice(meeting, speaker, number, count) for number, speaker in enumerate(meeting.speakers, start=1)]


def by_user(parts: Sequence[Voice]) -> Mapping[str, Voice]:
    """The parts by user id."""
    return {part.user_id: part for part in parts}


def _voice(meeting: Meeting, speaker: MeetingSpeaker, number: int, count: int) -> Voice:
    pcm = np.frombuffer(speaker.pcm, dtype="<i2")
    if speaker.sample_rate != SAMPLE_RATE:
        pcm = soxr.resample(pcm, speaker.sample_rate, SAMPLE_RATE)
    marked = mark(np.asarray(pcm, dtype=np.int16), FRAME_SAMPLES, number).astype("<i2").tobytes()
    size = FRAME_SAMPLES * 2
    frames = [
        None if frame is None else marked[at * size : (at + 1) * size].ljust(size, b"\0")
        for at, frame in enumerate(speaker.frames[:count])
    ]
    return Voice(speaker.user_id, number, frames, _midst_of_lines(meeting, speaker, count))


EDGE_MS = 200
"""How much of a line's beginning and end may be taken as silence: quiet consonants are nobody's loss."""


def _midst_of_lines(meeting: Meeting, speaker: MeetingSpeaker, count: int) -> frozenset[int]:
    lines = [line for line in meeting.lines if line.user_id == speaker.user_id]
    return frozenset(
        frame
        for line in lines
        for frame in range(
            int(line.starts * 1_000 + EDGE_MS) // FRAME_MS, min(count, int(line.ends * 1_000 - EDGE_MS) // FRAME_MS)
        )
    )
