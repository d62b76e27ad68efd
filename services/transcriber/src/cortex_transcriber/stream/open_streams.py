"""All streams of this process: who is carried by which, and what concerns all of them at once."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final, Protocol

from cortex_eventing.errors import LimitReached, Unavailable

from cortex_transcriber.domain.commands import SpeakerKey
from cortex_transcriber.stream.metrics import OPEN_STREAMS, STREAMS_REFUSED
from cortex_transcriber.stream.ports import Carried

STREAM_RETRY: Final = timedelta(seconds=5)
"""When a full process may have a place again; other replicas have one sooner."""


class Stream(Protocol):
    """An open stream, as others tell it things."""

    project_id: str
    session_id: str

    def session_over(self, ended_at: datetime) -> None:
        """Its session has ended."""
        ...

    def drain(self, reconnect_by: datetime) -> None:
        """The process stops."""
        ...


class Place:
    """A speaker's place on a stream, from its join to the end of its last utterance.

    Attributes:
        speaker: who has it.
        superseded: done when a newer stream took the speaker.
        left: set once everything the speaker said on this stream is stored, or will not be.
        leaving: whether the speaker said goodbye, so that what it said must be stored from here.
    """

    def __init__(
        self, speaker: SpeakerKey, project_id: str, holder: str, last_frame_at: Callable[[], datetime]
    ) -> None:
        self.speaker = speaker
        self.leaving = False
        self.left = asyncio.Event()
        self.superseded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._project_id = project_id
        self._holder = holder
        self._last_frame_at = last_frame_at

    @property
    def carried(self) -> Carried:
        """For the record of who is where."""
        return Carried(self.speaker, self._project_id, self._holder, self._last_frame_at())

    def supersede(self) -> None:
        """A newer stream took the speaker."""
        if not self.superseded.done():
            self.superseded.set_result(None)


class OpenStreams:
    """The streams of this process.

    Args:
        most: open at once.
        most_of_project: of one project at once, so that none takes all the room; None: as many as there is room for.
        has_time: whether this process can hear more people of a project, and be late for nobody.
    """

    def __init__(
        self, most: int, most_of_project: int | None = None, has_time: Callable[[str], bool] = lambda _: True
    ) -> None:
        self._most = most
        self._has_time = has_time
        self._most_of_project = most if most_of_project is None else most_of_project
        self._streams: set[Stream] = set()
        self._places: dict[SpeakerKey, Place] = {}
        self._vacated: list[Carried] = []
        self._draining = False
        self._none_open = asyncio.Event()
        self._none_open.set()

    def __len__(self) -> int:
        return len(self._streams)

    @contextmanager
    def opened(self, stream: Stream) -> Iterator[None]:
        """Count a stream in while it is open.

        Raises:
            LimitReached: this process carries as many as it may, of all projects or of this one, or has no time.
            Unavailable: it stops.
        """
        if self._draining:
            raise Unavailable("this replica")
        self._require_place(stream)
        self._streams.add(stream)
        self._none_open.clear()
        OPEN_STREAMS.inc()
        try:
            yield
        finally:
            OPEN_STREAMS.dec()
            self._streams.discard(stream)
            if not self._streams:
                self._none_open.set()

    def _require_place(self, stream: Stream) -> None:
        if len(self._streams) >= self._most:
            raise _refused("REPLICA_FULL", "this replica carries no more streams")
        if sum(each.project_id == stream.project_id for each in self._streams) >= self._most_of_project:
            raise _refused("PROJECT_FULL", "this replica carries no more streams of the project")
        if not self._has_time(stream.project_id):
            raise _refused("REPLICA_BUSY", "this replica is late with the words of those whom it hears")

    async def all_closed(self) -> None:
        """Wait until no stream is open."""
        await self._none_open.wait()

    async def take(self, place: Place) -> None:
        """Give a speaker a place. On another stream it loses the one it had; after a goodbye that is awaited first."""
        while (older := self._places.get(place.speaker)) is not None and older.leaving:
            await older.left.wait()
        if older is not None:
            older.supersede()
        self._places[place.speaker] = place

    def vacate(self, place: Place) -> None:
        """A speaker's place is free, because it left, was taken, or its stream broke."""
        place.left.set()
        if self._places.get(place.speaker) is place:
            del self._places[place.speaker]
            if not place.leaving:
                self._vacated.append(place.carried)

    def carried(self) -> list[Carried]:
        """Everybody who has a place, and once each who had one since the last call."""
        vacated, self._vacated = self._vacated, []
        return [*vacated, *(place.carried for place in self._places.values())]

    def lost(self, holders: set[str]) -> None:
        """Streams of other replicas took these speakers."""
        for place in list(self._places.values()):
            if place.carried.holder in holders:
                place.supersede()

    def session_over(self, session_id: str, ended_at: datetime) -> None:
        """A session has ended: its streams finish what they heard and close."""
        for stream in [stream for stream in self._streams if stream.session_id == session_id]:
            stream.session_over(ended_at)

    def drain(self, reconnect_by: datetime) -> None:
        """The process stops: every stream finishes the utterances that it heard to their end, and closes."""
        self._draining = True
        for stream in self._streams:
            stream.drain(reconnect_by)


def _refused(reason: str, message: str) -> LimitReached:
    STREAMS_REFUSED.labels(reason).inc()
    return LimitReached(message, retry_after=STREAM_RETRY, reason=reason)
