"""One bot's stream, from its opening to its close: reads its messages, lets each peer be heard, ends in good order."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cortex.transcriber.v1.transcriber_service_pb2 import Open, StreamAudioRequest, StreamAudioResponse
from cortex_eventing.recorded import Origin

from cortex_transcriber.stream import answers
from cortex_transcriber.stream.link import Link
from cortex_transcriber.stream.opening import default_format, heartbeat_of, segmenting_of
from cortex_transcriber.stream.outbox import Outbox
from cortex_transcriber.stream.parts import Parts
from cortex_transcriber.stream.ports import ActiveSession, Recognition
from cortex_transcriber.stream.refusing import tell
from cortex_transcriber.stream.room import Action, Finish, Hear, Leave, Refuse, Resolve, Room, Seat
from cortex_transcriber.stream.venue import Venue
from cortex_transcriber.stream.visit import Visit

SESSION: Final = "open.session_id"
"""The field that a session's language comes by."""

BREAKS_WITHIN: Final = 0.25
"""Seconds that a half-close is waited upon: a connection that broke ends the bot's messages in the same way, and the
call is cancelled moments later. Taken for a goodbye, it would cut everybody short and send them out of the room."""


@dataclass(frozen=True)
class Ending:
    """How a stream ends.

    Attributes:
        answer: what the bot is told first.
        for_good: nothing comes after it: speech that goes on is over, and everybody has left. Otherwise the bot will
            reconnect, and resend what is not acknowledged.
    """

    answer: StreamAudioResponse | None
    for_good: bool


class AudioStream:
    """A stream that was opened.

    Attributes:
        project_id: whose stream it is.
        session_id: the session whose room it carries.
        outbox: the answers; closed at the end.

    Raises:
        InvalidInput: the stream's default format cannot be heard, or its speech cannot be cut so.
    """

    def __init__(self, opening: Open, origin: Origin, parts: Parts) -> None:
        self.project_id = origin.project_id
        self.session_id = opening.session_id
        self.outbox = Outbox()
        self._include_interim = opening.include_interim
        self._heartbeat = heartbeat_of(opening)
        self._default_format = default_format(opening)
        self._segmenting = segmenting_of(opening, parts.segmenting)
        self._origin = origin
        self._parts = parts
        self._ending: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()

    def session_over(self, ended_at: datetime) -> None:
        """The session has ended: finish what was heard, and close."""
        self._end(Ending(answers.session_over(ended_at), for_good=True))

    def drain(self, reconnect_by: datetime) -> None:
        """The process stops: finish the utterances that were heard to their end, and close."""
        self._end(Ending(answers.draining(reconnect_by), for_good=False))

    async def run(self, session: ActiveSession, requests: AsyncIterator[StreamAudioRequest]) -> None:
        """Carry the stream to its end.

        Raises:
            InvalidInput: the bot said what makes no sense for the stream as a whole.
            LanguageNotHeard: no model hears what is spoken in the session.
        """
        try:
            recognition = self._parts.models.of_language(session.language, SESSION).recognition
            opened = answers.opened(session.zero_at, self._parts.limits, self._segmenting.endpoint_ms)
            await self.outbox.put(opened)
            async with asyncio.TaskGroup() as group:
                await _Carrying(self._venue(session, recognition, group), self._parts).run(requests, self._ending)
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None
        finally:
            await self.outbox.close()

    def _venue(self, session: ActiveSession, recognition: Recognition, group: asyncio.TaskGroup) -> Venue:
        return Venue(
            session=session,
            recognition=recognition,
            room=Room(session.zero_at, self._default_format, self._parts.limits),
            outbox=self.outbox,
            origin=self._origin,
            segmenting=self._segmenting,
            include_interim=self._include_interim,
            link=Link(self._heartbeat, asyncio.get_running_loop().time()),
            spawn=group.create_task,
        )

    def _end(self, ending: Ending) -> None:
        if not self._ending.done():
            self._ending.set_result(ending)


class _Carrying:
    """The peers of a stream while it is open."""

    def __init__(self, venue: Venue, parts: Parts) -> None:
        self._venue = venue
        self._parts = parts
        self._visits: dict[Seat, Visit] = {}
        self._tasks: dict[Seat, asyncio.Task[None]] = {}

    async def run(self, requests: AsyncIterator[StreamAudioRequest], ending: "asyncio.Future[Ending]") -> None:
        reading = self._venue.spawn(self._read(requests))
        await asyncio.wait([reading, ending], return_when=asyncio.FIRST_COMPLETED)
        if not ending.done():
            reading.result()
        reading.cancel()
        await self._finish(ending.result() if ending.done() else Ending(None, for_good=True))

    async def _read(self, requests: AsyncIterator[StreamAudioRequest]) -> None:
        """Do what the bot's messages ask for, until it says that nothing more comes."""
        link = self._venue.link
        async for request in requests:
            link.messages += 1
            action = self._venue.room.received(request)
            if isinstance(action, Hear):
                await self._hear(action)
            elif isinstance(action, Finish):
                return
            elif action:
                await self._do(action)
        await asyncio.sleep(BREAKS_WITHIN)

    async def _hear(self, heard: Hear) -> None:
        visit = self._visits.get(heard.seat)
        room = visit.take(heard.taken) if visit else None
        if room:
            await room

    async def _do(self, action: Action) -> None:
        match action:
            case Resolve(seat):
                self._visits[seat] = visit = Visit(seat, self._venue, self._parts)
                self._tasks[seat] = task = self._venue.spawn(visit.run())
                task.add_done_callback(lambda _: self._forget(seat))
            case Leave(seat) if leaving := self._visits.get(seat):
                self._leave(seat, leaving)
            case Refuse():
                await tell(action, self._venue.outbox, self._parts)

    def _leave(self, seat: Seat, visit: Visit) -> None:
        if visit.introduced:
            self._venue.spawn(visit.leave())
        else:
            self._tasks[seat].cancel()

    def _forget(self, seat: Seat) -> None:
        self._visits.pop(seat, None)
        self._tasks.pop(seat, None)

    async def _finish(self, ending: Ending) -> None:
        """Have what was heard stored and told; the tasks of the visits end then."""
        if ending.answer:
            await self._venue.outbox.put(ending.answer)
        for seat, visit in list(self._visits.items()):
            if ending.for_good or not visit.introduced:
                self._leave(seat, visit)
            else:
                self._venue.spawn(visit.break_off())
