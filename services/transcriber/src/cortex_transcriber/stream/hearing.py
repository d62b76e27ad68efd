"""Listens to all speakers of the process: what came in since the last turn, one call of the voice detector for many."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from cortex_transcriber.speech.events import Event
from cortex_transcriber.speech.frames import MS
from cortex_transcriber.speech.stream import SpeakerStream
from cortex_transcriber.stream.link import Link

TURN: Final = 0.02
"""Seconds between turns while audio comes in: the usual frame, so that peers' chunks meet in one batch. It adds less to
the delay of a text than the 32 ms that a chunk takes to fill."""

PAUSE: Final = 3.0
"""Seconds without a frame or a word about silence after which an utterance is over: voice servers send nothing while
nobody speaks, and a bot that says nothing about it shall not keep a text waiting. Where a longer silence was asked for
as the end of an utterance, that is waited for."""

PAUSE_LOOKED_FOR_EVERY: Final = 0.5
"""Seconds: a sixth of the pause is late enough to be noticed by nobody."""

Sink = Callable[[Event], None]


class Listener(Protocol):
    """What judges many streams at once."""

    def listen(self, streams: Sequence[SpeakerStream]) -> list[tuple[SpeakerStream, Event]]:
        """Judge what is ready, some of it; whoever is still `ready` wants another turn."""
        ...


@dataclass
class _Attended:
    sink: Sink
    link: Link
    given_at: float
    next_sequence: int

    def notice(self, next_sequence: int) -> None:
        """Frames that came by the short way are noticed later, by their number."""
        if next_sequence != self.next_sequence:
            self.next_sequence, self.given_at = next_sequence, _now()


class Hearing:
    """Takes turns at listening as long as anybody has something to be listened to."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._attended: dict[SpeakerStream, _Attended] = {}
        self._ready: dict[SpeakerStream, None] = {}
        self._wanted = asyncio.Event()
        self._changed = asyncio.Condition()

    def attend(self, stream: SpeakerStream, sink: Sink, link: Link) -> None:
        """Tell `sink` what is heard in a stream, which comes over `link`, from now on."""
        self._attended[stream] = _Attended(sink, link, _now(), stream.next_sequence)

    def forget(self, stream: SpeakerStream) -> None:
        """Stop listening to a stream, whatever it still holds."""
        self._attended.pop(stream, None)
        self._ready.pop(stream, None)

    def given(self, stream: SpeakerStream) -> None:
        """A stream was given audio, or an end."""
        if attended := self._attended.get(stream):
            attended.given_at = _now()
            if stream.ready:
                self._ready[stream] = None
                self._wanted.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait, over as many turns as it takes, until something holds."""
        async with self._changed:
            await self._changed.wait_for(holds)

    async def stir(self) -> None:
        """Have those who wait look again."""
        async with self._changed:
            self._changed.notify_all()

    async def listen(self) -> None:
        """Take turns, for ever."""
        while True:
            await self._wanted.wait()
            for stream, event in self._listener.listen(list(self._ready)):
                self._attended[stream].sink(event)
            self._ready = {stream: None for stream in self._ready if stream.ready}
            if not self._ready:
                self._wanted.clear()
            await self.stir()
            await asyncio.sleep(0 if self._ready else TURN)

    async def notice_pauses(self) -> None:
        """End what peers were saying who send nothing any more, for ever."""
        while True:
            await asyncio.sleep(PAUSE_LOOKED_FOR_EVERY)
            self.end_speech_of_silent(_now() - PAUSE)

    def end_speech_of_silent(self, since: float) -> None:
        """End what those were saying who were given nothing since then, by the loop's time, though their link was up.

        Those for whom the end of an utterance takes longer than `PAUSE` are given that much more.
        """
        for stream, attended in self._attended.items():
            attended.notice(stream.next_sequence)
            longer = max(0.0, stream.endpoint_ms / MS - PAUSE)
            nothing_since = max(attended.given_at, attended.link.up_since(_now()))
            if (stream.speaking or stream.unheard) and nothing_since < since - longer and not stream.ready:
                stream.end()
                self.given(stream)


_now = time.monotonic  # what the loop's own clock is, without asking for the loop each time frames come
