"""Many people who talk now and then: what they say, cut from the recordings that are there, and when. By a fixed seed.

Utterances have log-normal lengths (median 2.4 s, sigma 0.75, 0.6 to 14 s), each at a quantile of its own, so that few
of them already are as long and as short as many would be. Everybody talks 30 % of the time. The more speakers there
are, the more are added: the others say the same at the same time as before.
"""

import random
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import exp, log
from pathlib import Path

import numpy as np
from conversations import RATE, TALKING, Pcm, Track, voices

FRAME_MS = 20
FRAMES_A_SECOND = 1_000 // FRAME_MS
FRAME = RATE // FRAMES_A_SECOND
"""Samples."""

PADDING = RATE // 10
"""Samples of silence that whoever is handed an utterance gets before and after it, as our cuts have: without, the model
makes up words at the end."""

UTTERANCES = 64
"""Different ones."""

MEDIAN_S, SIGMA, SHORTEST_S, LONGEST_S = 2.4, 0.75, 0.6, 14.0

SEED = 5
QUIET = 0.05
"""A frame whose level is below this share of the recording's highest is no speech."""

LOUD = 0.15
"""An utterance ends with a frame of at least this share, so that its end is that of speech and not of a breath."""

KEPT_QUIET = 8
"""Frames of silence, 160 ms, that are left of each pause: no detector shall take it for the end of an utterance."""

EDGE = 0.12
"""An utterance ends at the quietest frame within this share of the length that it should have, so that few are cut off
in the middle of a word."""

SHORTEST_GAP_S = 0.8
"""Seconds between two utterances of one speaker: above the endpoint's silence, so that they are two."""

BEFORE_S = 60.0
"""Seconds of talk before what is used, after which it no longer matters that everybody began with a pause."""


@dataclass(frozen=True)
class Turn:
    """Somebody says something.

    Attributes:
        speaker: who, from 0.
        first: the frame with which it begins, counted from the beginning of the block.
        frames: how many it has.
        utterance: what is said.
    """

    speaker: int
    first: int
    frames: int
    utterance: int

    @property
    def end_s(self) -> float:
        """When the last sample of it was spoken, in seconds after the beginning of the block."""
        return (self.first + self.frames) / FRAMES_A_SECOND


def utterances(recordings: Path) -> Sequence[Pcm]:
    """What is said: whole frames of 16 kHz, from all voices in turn."""
    heard = [_without_pauses(track) for track in voices(recordings)]
    said = [0] * len(heard)
    cut = []
    for number, seconds in enumerate(_lengths()):
        voice = number % len(heard)
        frames = _frames_of(heard[voice], said[voice], round(seconds * FRAMES_A_SECOND))
        said[voice] += len(frames)
        cut.append(frames.reshape(-1))
    return cut


def _lengths() -> list[float]:
    normal = statistics.NormalDist(log(MEDIAN_S), SIGMA)
    lengths = [exp(normal.inv_cdf((number + 0.5) / UTTERANCES)) for number in range(UTTERANCES)]
    random.Random(SEED).shuffle(lengths)  # noqa: S311 - repeats, no secret
    return [min(LONGEST_S, max(SHORTEST_S, length)) for length in lengths]


def _without_pauses(track: Track) -> Pcm:
    """Frames of speech, with little between them."""
    frames = track.pcm[: len(track.pcm) // FRAME * FRAME].reshape(-1, FRAME)
    loud = _loudness(frames) >= QUIET * _loudness(frames).max()
    near = np.convolve(loud, np.ones(KEPT_QUIET + 1), mode="same") > 0
    return frames[near]


def _loudness(frames: Pcm) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    level: np.ndarray[tuple[int], np.dtype[np.float64]] = np.sqrt(np.square(frames.astype(np.float64)).mean(axis=1))
    return level


def _frames_of(voice: Pcm, begin: int, wanted: int) -> Pcm:
    """About so many frames of a voice, which begins anew at its end; up to a quiet one."""
    around = np.take(voice, range(begin, begin + round(wanted * (1 + EDGE)) + 1), axis=0, mode="wrap")
    earliest = round(wanted * (1 - EDGE))
    end = earliest + int(_loudness(around[earliest:]).argmin())
    loud = np.flatnonzero(_loudness(around[:end]) >= LOUD * _loudness(around[:end]).max())
    taken: Pcm = around[: loud[-1] + 1]
    return taken


def talk(speakers: int, seconds: float, said: Sequence[Pcm]) -> list[list[Turn]]:
    """What each of so many speakers says within so many seconds; at their end everybody is cut off."""
    return [list(_turns(speaker, round(seconds * FRAMES_A_SECOND), said)) for speaker in range(speakers)]


def _turns(speaker: int, until: int, said: Sequence[Pcm]) -> Iterator[Turn]:
    chance = random.Random(SEED * 1_000_003 + speaker)  # noqa: S311 - repeats, no secret
    mean_s = statistics.fmean(len(pcm) for pcm in said) / RATE
    gap_s = mean_s * (1 / TALKING - 1) - SHORTEST_GAP_S
    end_s = -BEFORE_S
    while True:
        first = round((end_s + SHORTEST_GAP_S + chance.expovariate(1 / gap_s)) * FRAMES_A_SECOND)
        utterance = chance.randrange(len(said))
        turn = Turn(speaker, first, len(said[utterance]) // FRAME, utterance)
        end_s = turn.end_s
        if first > until - SHORTEST_S * FRAMES_A_SECOND:
            return
        if first >= 0:
            yield replace(turn, frames=min(turn.frames, until - first))
