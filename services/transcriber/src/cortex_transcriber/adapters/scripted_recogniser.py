"""A recogniser for tests that need exact words: it reads marks hidden in the audio and says which frames it was given.

A mark is written into the lowest bits of a frame's first samples, where neither ear nor voice detector notices it.
It survives 16 kHz PCM only: resampling and codecs destroy it. Where there is none, words are what `scripted_tones`
laid under speech.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cortex_transcriber.adapters.scripted_tones import tones_heard
from cortex_transcriber.speech.recogniser import SAMPLE_RATE, Recognised, Samples
from cortex_transcriber.speech.words import Word

SYNC: Final = 0xC0D3A5E1
SYNC_BITS: Final = 32
SPEAKER_BITS: Final = 16
FRAME_BITS: Final = 24
CHECK_BITS: Final = 8
BITS: Final = SYNC_BITS + SPEAKER_BITS + FRAME_BITS + CHECK_BITS
"""Fits into 10 ms at 16 kHz, the shortest frame."""

FULL_SCALE: Final = 32_768
RUN: Final = re.compile(r"(\d+):(\d+)-(\d+)")

Pcm = npt.NDArray[np.int16]
Mark = tuple[int, int]
"""Speaker and frame number."""


@dataclass
class _Run:
    """Frames of a speaker that follow each other, of which the first begins with the sample at `at`."""

    at: int
    speaker: int
    first: int
    last: int

    @property
    def word(self) -> Word:
        return Word(f"{self.speaker}:{self.first}-{self.last}", self.at / SAMPLE_RATE, confidence=1.0)


def mark(pcm: Pcm, frame_samples: int, speaker: int, first_frame: int = 0) -> Pcm:
    """The same audio with a mark in each whole frame, numbered from `first_frame` on."""
    marked = pcm.copy()
    for index in range(len(pcm) // frame_samples):
        at = index * frame_samples
        head = marked[at : at + BITS]
        head[:] = (head & ~1) | _bits(speaker, first_frame + index)
    return marked


def frames_heard(texts: Iterable[str]) -> list[Mark]:
    """Speaker and frame of every frame that these texts stand for, with repetitions, in the order of the texts."""
    runs = [[int(number) for number in run] for text in texts for run in RUN.findall(text)]
    return [(speaker, frame) for speaker, first, last in runs for frame in range(first, last + 1)]


class ScriptedRecogniser:
    """Says `speaker:first-last` for each run of marked frames, and when; else the tones that it hears, else nothing."""

    name = "scripted"
    language = "en"
    family = "scripted"
    batch_size = 1

    def recognise(self, samples: Samples) -> Recognised:
        """The runs of frames in these samples, or the tones."""
        words = tuple(run.word for run in _runs(_marks(samples)))
        said = [word.text for word in words] or tones_heard(samples)
        return Recognised(" ".join(said), 1.0, len(said), self.language, self.name, words=words)

    def recognise_batch(self, utterances: Sequence[Samples]) -> list[Recognised]:
        """One by one."""
        return [self.recognise(samples) for samples in utterances]


def _bits(speaker: int, frame: int) -> Pcm:
    value = (((SYNC << SPEAKER_BITS | speaker) << FRAME_BITS | frame) << CHECK_BITS) | _check(speaker, frame)
    return np.array([value >> shift & 1 for shift in reversed(range(BITS))], dtype=np.int16)


def _check(speaker: int, frame: int) -> int:
    return (speaker * 31 + frame * 7 + frame // 251) % (1 << CHECK_BITS)


def _marks(samples: Samples) -> Iterator[tuple[int, Mark]]:
    """Each mark, and at which sample it begins."""
    bits = np.rint(samples * FULL_SCALE).astype(np.int64) & 1
    for at in np.flatnonzero(_number(bits, SYNC_BITS) == SYNC):
        if at + BITS <= len(bits):
            value = int("".join(map(str, bits[at + SYNC_BITS : at + BITS])), 2)
            found = value >> (FRAME_BITS + CHECK_BITS), value >> CHECK_BITS & ((1 << FRAME_BITS) - 1)
            if value & ((1 << CHECK_BITS) - 1) == _check(*found):
                yield int(at), found


def _number(bits: npt.NDArray[np.int64], width: int) -> npt.NDArray[np.int64]:
    """At each position the number that the next `width` bits make."""
    count = max(0, len(bits) - width + 1)
    number = np.zeros(count, dtype=np.int64)
    for shift in range(width):
        number = number << 1 | bits[shift : shift + count]
    return number


def _runs(marks: Iterable[tuple[int, Mark]]) -> list[_Run]:
    runs: list[_Run] = []
    for at, (speaker, frame) in marks:
        if runs and runs[-1].speaker == speaker and runs[-1].last + 1 == frame:
            runs[-1].last = frame
        else:
            runs.append(_Run(at, speaker, frame, frame))
    return runs
