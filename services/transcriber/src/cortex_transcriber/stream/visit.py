"""One peer on one stream, from its introduction to its goodbye."""

import asyncio
import contextlib
from collections.abc import Awaitable
from datetime import datetime

from cortex_eventing.errors import Rejected, Unavailable, WrongState

from cortex_transcriber.domain.commands import JoinSpeaker, LeaveSpeaker, Person, SpeakerKey
from cortex_transcriber.speech.stream import SpeakerStream
from cortex_transcriber.stream.intake import Taken
from cortex_transcriber.stream.metrics import SPEAKERS
from cortex_transcriber.stream.open_streams import Place
from cortex_transcriber.stream.parts import Parts
from cortex_transcriber.stream.patience import patiently
from cortex_transcriber.stream.ports import Stored
from cortex_transcriber.stream.refusing import removal, tell
from cortex_transcriber.stream.resuming import preroll_frames, resume_point
from cortex_transcriber.stream.room import Seat
from cortex_transcriber.stream.venue import Venue
from cortex_transcriber.stream.voice import Ear, Voice
from cortex_transcriber.stream.whose import Whose


class Superseded(WrongState):
    """A newer stream carries the peer."""

    reason = "SUPERSEDED"

    def __init__(self) -> None:
        super().__init__("a newer stream carries this peer")


class Visit:
    """What happens with one peer on one stream."""

    def __init__(self, seat: Seat, venue: Venue, parts: Parts) -> None:
        self._seat = seat
        self._venue = venue
        self._parts = parts
        self._arrival = seat.arrival
        self._speaker = SpeakerKey(venue.session.session_id, seat.arrival.peer_id)
        self._place = Place(self._speaker, venue.session.project_id, parts.new_holder(), self._last_frame_at)
        self._voice: Voice | None = None

    async def run(self) -> None:
        """Find out who it is, hear it, and say goodbye; a refusal ends the visit and not the stream."""
        try:
            voice = await self._introduce()
            with SPEAKERS.track_inprogress():
                await self._hear_out(voice)
        except Rejected as refused:
            if self._venue.room.vacate(self._seat):
                await tell(removal(self._arrival.handle, refused), self._venue.outbox, self._parts)
        finally:
            if self._voice:
                self._voice.forget()
            self._parts.open_streams.vacate(self._place)

    def take(self, taken: Taken) -> Awaitable[None] | None:
        """Listen to frames; while too much is not dealt with, what to wait for."""
        return self._voice.take(taken) if self._voice else None

    async def leave(self) -> None:
        """The peer left the room: store what it said, and say so."""
        self._place.leaving = True
        if self._voice:
            await self._voice.finish(speech_is_over=True)

    async def break_off(self) -> None:
        """The stream closes, and the peer will come back: store the utterances that it has finished."""
        if self._voice:
            await self._voice.finish(speech_is_over=False)

    @property
    def introduced(self) -> bool:
        """Whether it is known who it is."""
        return self._voice is not None

    def _last_frame_at(self) -> datetime:
        """When the last of its frames so far ended; before the first, where it begins."""
        numbering = self._arrival.numbering
        return numbering.began(self._voice.last_sequence + 1 if self._voice else self._arrival.resume_from)

    async def _introduce(self) -> Voice:
        """Resolve the peer, take its place from any older stream, and let it join."""
        project_id, user_id = self._venue.session.project_id, self._arrival.user_id
        person = await patiently(lambda: self._parts.identities.resolve(project_id, self._speaker, user_id))
        await self._parts.open_streams.take(self._place)
        stored = await patiently(lambda: self._join(person))
        voice = self._voice_of(person, stored)
        self._voice = voice
        self._seat.takes_next = voice.take_next
        return voice

    async def _join(self, person: Person) -> Stored:
        absence = await self._parts.presence.claim(self._place.carried)
        arrival = self._arrival
        command = JoinSpeaker(self._speaker, person, arrival.numbering, arrival.resume_from, absence)
        return await self._parts.speakers.handle(command, self._venue.origin)

    def _voice_of(self, person: Person, stored: Stored) -> Voice:
        audio = self._arrival.audio
        decoder = self._parts.new_decoder(audio)
        preroll = preroll_frames(audio, decoder.preroll_ms)
        resume = resume_point(self._arrival, stored, preroll)
        heard_through = stored.speaker.heard_through
        stream = SpeakerStream(audio, decoder, self._venue.segmenting, resume.start, heard_through)
        ear = Ear(stream, self._venue.room.seated(self._seat, resume.wanted), preroll)
        return Voice(Whose(self._venue, self._arrival, person), ear, self._parts)

    async def _hear_out(self, voice: Voice) -> None:
        """Store what the peer says until its visit is over, or another stream has it."""
        await self._venue.outbox.put(voice.introduction())
        storing = self._venue.spawn(voice.store())
        await asyncio.wait([storing, self._place.superseded], return_when=asyncio.FIRST_COMPLETED)
        if not storing.done():
            storing.cancel()
            raise Superseded
        storing.result()
        if self._place.leaving:
            await self._say_goodbye()

    async def _say_goodbye(self) -> None:
        command = LeaveSpeaker(self._speaker, self._last_frame_at())
        await patiently(lambda: self._parts.speakers.handle(command, self._venue.origin))
        with contextlib.suppress(Unavailable):  # the sweep finds somebody who has left already
            await self._parts.presence.release(self._place.carried)
