"""Hears recordings: decoding, detecting and cutting on threads of their own, the words from the recogniser."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from cortex_transcriber.recordings.limits import RecordingLimits
from cortex_transcriber.recordings.listening import FORMAT, Listener
from cortex_transcriber.recordings.ports import OpenRecording, Recognise
from cortex_transcriber.recordings.refusing import RecordingRefused, TooLarge, TooMany
from cortex_transcriber.speech.decoding import Decoder
from cortex_transcriber.speech.events import SegmentReady
from cortex_transcriber.speech.frames import MS, AudioFormat
from cortex_transcriber.speech.niceness import OF_PATIENT, give_way
from cortex_transcriber.speech.recogniser import Recognised
from cortex_transcriber.speech.segmenting import Segmenting
from cortex_transcriber.speech.voice_detector import VoiceDetector

MOST_UNHEARD: Final = 8
"""Utterances of one recording that may wait for their words, at most two minutes of audio; beyond it nothing more is
decoded. Enough to keep several workers busy."""


@dataclass(frozen=True)
class Utterance:
    """What was said between two pauses; the times are seconds from the beginning of the recording."""

    start: float
    end: float
    recognised: Recognised


@dataclass(frozen=True)
class Heard:
    """What was heard in a recording of so many seconds."""

    duration: float
    utterances: tuple[Utterance, ...]


@dataclass(frozen=True)
class Progress:
    """How far a recording was heard, in seconds; `promised` is None when the file does not say how long it is."""

    heard: float
    promised: float | None


Told = Callable[[Progress], None]


@dataclass(frozen=True)
class Ears:
    """What every recording of a process is heard with."""

    open_recording: OpenRecording
    detector: VoiceDetector
    new_decoder: Callable[[AudioFormat], Decoder]
    segmenting: Segmenting


class Recordings:
    """Hears a few recordings at once, and refuses further ones."""

    def __init__(self, ears: Ears, limits: RecordingLimits) -> None:
        self.limits = limits
        self._ears = ears
        self._threads = ThreadPoolExecutor(limits.at_once, "recording", initializer=give_way, initargs=(OF_PATIENT,))
        self._heard_now = 0

    async def hear(self, data: bytes, recognise: Recognise, told: Told = lambda _: None) -> Heard:
        """Hear a whole file.

        Raises:
            RecordingRefused: it can never be heard; says why.
            TooMany: too many others are being heard.
            Unavailable: the model fails.
            Unrecognisable: the model cannot take a part of it.
        """
        if not data:
            raise RecordingRefused("must not be empty")
        if len(data) > self.limits.largest_bytes:
            raise TooLarge(self.limits.largest_bytes)
        with self._place():
            return await self._heard(data, recognise, told)

    def close(self) -> None:
        """End the threads; a piece that is being decoded is finished first."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._heard_now >= self.limits.at_once:
            raise TooMany(self.limits.at_once)
        self._heard_now += 1
        try:
            yield
        finally:
            self._heard_now -= 1

    async def _heard(self, data: bytes, recognise: Recognise, told: Told) -> Heard:
        loop, ears = asyncio.get_running_loop(), self._ears
        listener = Listener(ears.open_recording, ears.detector, ears.new_decoder(FORMAT), ears.segmenting)
        words = _Words(recognise)
        try:
            await loop.run_in_executor(self._threads, listener.open, data, self.limits.longest_s)
            while (segments := await loop.run_in_executor(self._threads, listener.listen)) is not None:
                for segment in segments:
                    await words.of(segment)
                told(Progress(listener.heard_s, listener.promised_s))
            return Heard(listener.heard_s, tuple(await words.all(listener.heard_s)))
        finally:
            words.forget()


class _Words:
    """The words of one recording's utterances, several of which are recognised at once."""

    def __init__(self, recognise: Recognise) -> None:
        self._recognise = recognise
        self._waiting: deque[tuple[SegmentReady, asyncio.Future[Recognised]]] = deque()
        self._found: list[tuple[SegmentReady, Recognised]] = []

    async def of(self, segment: SegmentReady) -> None:
        """Have an utterance recognised; waits while too many others are."""
        words = asyncio.ensure_future(self._recognise(segment))
        words.add_done_callback(_noted)
        self._waiting.append((segment, words))
        while len(self._waiting) > MOST_UNHEARD:
            await self._oldest()

    async def all(self, duration: float) -> list[Utterance]:
        """Every utterance that was speech, in its order."""
        while self._waiting:
            await self._oldest()
        return [_utterance(segment, words, duration) for segment, words in self._found if words.text]

    def forget(self) -> None:
        """Recognise nothing any more."""
        for _, words in self._waiting:
            words.cancel()

    async def _oldest(self) -> None:
        segment, words = self._waiting[0]
        self._found.append((segment, await words))
        self._waiting.popleft()


def _noted(words: asyncio.Future[Recognised]) -> None:
    """Once one failed nobody waits for the others: a failure of theirs is no defect."""
    if not words.cancelled():
        words.exception()


def _utterance(segment: SegmentReady, words: Recognised, duration: float) -> Utterance:
    start = FORMAT.starts_at_ms(segment.first_sequence) / MS
    end = min(FORMAT.ends_at_ms(segment.last_sequence) / MS, duration)
    return Utterance(start, end, words)
