"""The meeting that the demo plays: who says what and when, and how it sounds.

`meeting.json` lies here, beside one recording per speaker over the whole length of the meeting. Times are milliseconds
from its beginning; `starts_ms` and `ends_ms` of a line are its first and after its last sample of speech.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path

import av

from cortex_client.demo.measure import Line
from cortex_client.demo.view import Programme

FRAME_MS = 20
BYTES_A_SAMPLE = 2
# A voice server opens its gate a little before it hears speech, and closes it a little after.
GATE_MS = 200
# Time for the last utterance to end, as it would if everybody stayed a moment.
AFTERMATH_MS = 1_000


@dataclass(frozen=True)
class MeetingSpeaker:
    """One speaker.

    Attributes:
        user_id: as the integrator calls them.
        name: as people call them.
        sample_rate: of the audio that their client sends.
        lines: what they say.
        pcm: the whole meeting as they were recorded: signed 16 bit, one channel.
        duration_ms: of the meeting.
    """

    user_id: str
    name: str
    sample_rate: int
    lines: Sequence[Line]
    pcm: bytes
    duration_ms: int
    frame_duration = timedelta(milliseconds=FRAME_MS)
    frame_s = FRAME_MS / 1_000

    @cached_property
    def frames(self) -> Sequence[bytes | None]:
        """What the voice server hands to the bot: a frame while the gate is open, None while it is closed."""
        count = math.ceil(self.duration_ms / FRAME_MS)
        return [self._frame(sequence) if self._is_open(sequence * FRAME_MS) else None for sequence in range(count)]

    def _is_open(self, at_ms: int) -> bool:
        return any(
            line.starts * 1_000 - GATE_MS < at_ms + FRAME_MS and at_ms < line.ends * 1_000 + GATE_MS
            for line in self.lines
        )

    def _frame(self, sequence: int) -> bytes:
        size = self.sample_rate * FRAME_MS // 1_000 * BYTES_A_SAMPLE
        return self.pcm[sequence * size : (sequence + 1) * size].ljust(size, b"\0")


@dataclass(frozen=True)
class Meeting:
    """The whole meeting.

    Attributes:
        lines: of all speakers, in the order in which they begin.
        duration_ms: to the end of the silence after the last line.
    """

    title: str
    speakers: Sequence[MeetingSpeaker]
    lines: Sequence[Line]
    duration_ms: int

    def programme(self, speed: float) -> Programme:
        """What is about to be heard, for those who watch."""
        names = {speaker.user_id: speaker.name for speaker in self.speakers}
        return Programme(self.title, names, self.duration_ms / 1_000 / speed, speed)


def load(folder: Traversable | None = None) -> Meeting:
    """Read a meeting; without a folder the one that comes with the demo."""
    folder = folder or files(__package__)
    script = json.loads((folder / "meeting.json").read_text(encoding="utf-8"))
    lines = sorted((_line(line) for line in script["lines"]), key=lambda line: line.starts)
    duration_ms = round(max(line.ends for line in lines) * 1_000) + AFTERMATH_MS
    speakers = [_speaker(folder, speaker, lines, duration_ms) for speaker in script["speakers"]]
    return Meeting(script["title"], speakers, lines, duration_ms)


def _line(line: dict[str, object]) -> Line:
    starts, ends = (float(str(line[key])) / 1_000 for key in ("starts_ms", "ends_ms"))
    return Line(str(line["user_id"]), str(line["text"]), starts, ends)


def _speaker(
    folder: Traversable, speaker: dict[str, object], lines: Sequence[Line], duration_ms: int
) -> MeetingSpeaker:
    user_id, sample_rate = str(speaker["user_id"]), int(str(speaker["sample_rate"]))
    with as_file(folder / str(speaker["audio"])) as path:
        pcm = _decoded(path, sample_rate)
    own = [line for line in lines if line.user_id == user_id]
    return MeetingSpeaker(user_id, str(speaker["name"]), sample_rate, own, pcm, duration_ms)


def _decoded(path: Path, sample_rate: int) -> bytes:
    """A recording in any format that FFmpeg knows, as signed 16 bit samples of one channel."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=sample_rate)
    with av.open(str(path)) as container:
        frames = [resampled for frame in container.decode(audio=0) for resampled in resampler.resample(frame)]
    frames.extend(resampler.resample(None))
    return b"".join(frame.to_ndarray().tobytes() for frame in frames)
