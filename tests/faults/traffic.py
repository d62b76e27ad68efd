"""Traffic of the demo's shape, faster than life: rooms in which three speak at once, and commands beside them.

What is answered goes into a ledger. What is not answered is asked again under the same request id until it is.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import cycle
from typing import TypeVar

from cortex.transcriber.v1.transcriber_service_pb2 import StreamAudioResponse
from cortex_client.backoff import Backoff
from cortex_client.client import Addresses, CortexClient, new_request_id
from cortex_client.demo.meeting import FRAME_MS
from cortex_client.demo.pacing import Pace
from cortex_client.errors import CallFailed
from cortex_client.peer import Peer as Sender
from cortex_client.peer import Speaker
from cortex_client.retrying import is_passing
from cortex_testkit.waiting import eventually

from tests.faults.ledger import Cut, Final, Ledger, Peer, Taken
from tests.faults.speech import Voice

Answer = TypeVar("Answer")

GATEWAY = "cortex://faults"

SPEED = 15.0
"""Seconds of the meeting in one: utterances follow one another in tenths of a second, so that a kill meets several."""

ANSWERED_WITHIN = 60.0
"""Seconds for an answer, absences included; no fault here lasts half as long."""

ONE_CALL = 3.0
"""Seconds for one attempt at a call, so that a service that hangs is asked again."""

CALLERS = 3
COMES_BACK = 3
"""Turns for which all callers create one external user id again and again, so that they meet; then follows another."""

BETWEEN_COMMANDS = 0.1
"""Seconds between a caller's commands: two cores are shared with all the services."""


class Traffic:
    """Goes on until it is ended.

    Attributes:
        ledger: what was acknowledged.
        rooms: how many meetings were played to their end.
    """

    def __init__(self, ways: Sequence[CortexClient], voices: Sequence[Voice], speed: float) -> None:
        self.ledger = Ledger(ways[0].project_id)
        self.rooms = 0
        self._ways = ways
        self._voices = voices
        self._speed = speed
        self._ending = False

    def end(self) -> None:
        """Begin nothing new."""
        self._ending = True

    async def goes_on(self, rooms: int = 1, answers: int = 5) -> None:
        """Wait until so many rooms were played, and commands answered, since now."""
        wanted = self.rooms + rooms, self.ledger.answers + answers
        await eventually(lambda: self._has(*wanted), ANSWERED_WITHIN)

    def _has(self, rooms: int, answers: int) -> bool:
        return self.rooms >= rooms and self.ledger.answers >= answers

    async def play_rooms(self) -> None:
        """One room after another."""
        for way in cycle(self._ways):
            if self._ending:
                return
            await self._play_room(way)

    async def _play_room(self, cortex: CortexClient) -> None:
        """A session, from its creation to its end."""
        room, request_id = f"room-{uuid.uuid4()}", new_request_id()
        created = await self._asked(lambda: cortex.create_session(room, GATEWAY, request_id=request_id))
        self.ledger.session(room, request_id, created.session.id)
        await _Room(cortex, self.ledger, created.session.id, self._voices, self._speed).play()
        await self._asked(lambda: cortex.stop_session(created.session.id))
        self.ledger.stop(created.session.id)
        self.rooms += 1

    async def command(self, caller: int) -> None:
        """One caller's commands, each of them asked twice at least."""
        turn, cortex = caller, self._ways[caller % len(self._ways)]
        while not self._ending:
            await self._create_guest(cortex, f"guest-{turn // COMES_BACK}")
            await self._create_and_stop(cortex, f"room-{caller}-{turn}")
            turn += 1
            await asyncio.sleep(BETWEEN_COMMANDS)

    async def _create_guest(self, cortex: CortexClient, user: str) -> None:
        first = new_request_id()
        for request_id in (first, first, new_request_id()):
            answer = await self._asked(partial(cortex.create_participant, user, request_id=request_id))
            self.ledger.participant(user, Taken(answer.participant.id, request_id, answer.created))

    async def _create_and_stop(self, cortex: CortexClient, room: str) -> None:
        request_id = new_request_id()
        for _ in range(2):
            created = await self._asked(lambda: cortex.create_session(room, GATEWAY, request_id=request_id))
            self.ledger.session(room, request_id, created.session.id)
        for _ in range(2):
            await self._asked(lambda: cortex.stop_session(created.session.id))
            self.ledger.stop(created.session.id)

    async def _asked(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        """What a call answers, asked again for as long as the outcome is not known."""
        backoff = Backoff()
        async with asyncio.timeout(ANSWERED_WITHIN):
            while True:
                try:
                    return await call()
                except CallFailed as failed:
                    if not is_passing(failed):
                        self.ledger.wrong.append(f"a call was refused: {failed}")
                        raise
                    await asyncio.sleep(backoff.next(failed.retry_after))


class _Room:
    """One meeting, played to the transcriber."""

    def __init__(
        self, cortex: CortexClient, ledger: Ledger, session_id: str, voices: Sequence[Voice], speed: float
    ) -> None:
        self._cortex = cortex
        self._ledger = ledger
        self._session_id = session_id
        self._voices = voices
        self._speed = speed
        # Said before the session was created and ended, as far as the numbering of the frames is concerned: played
        # faster than life the meeting would otherwise last beyond the session's end, and be refused.
        longest = max(len(voice.frames) for voice in voices)
        self._zero_at = datetime.now(UTC) - timedelta(milliseconds=longest * FRAME_MS)

    async def play(self) -> None:
        """Send all that is said, and wait until it was heard."""
        async with asyncio.timeout(ANSWERED_WITHIN):
            async with self._cortex.audio_stream(self._session_id, hear=self._hear, include_interim=True) as audio:
                senders = [await audio.join(self._speaker(voice)) for voice in self._voices]
                pace = Pace(self._speed)
                async with asyncio.TaskGroup() as speaking:
                    for voice, sender in zip(self._voices, senders, strict=True):
                        speaking.create_task(self._speak(voice, sender, pace))
            for voice in self._voices:
                self._ledger.played[self._peer(voice)] = len(voice.frames) - 1

    def _speaker(self, voice: Voice) -> Speaker:
        return Speaker(
            peer_id=f"connection-of-{voice.user_id}",
            user_id=voice.user_id,
            sequence_zero_at=self._zero_at,
            frame_duration=timedelta(milliseconds=FRAME_MS),
        )

    def _peer(self, voice: Voice) -> Peer:
        return Peer(self._session_id, f"connection-of-{voice.user_id}")

    async def _speak(self, voice: Voice, sender: Sender, pace: Pace) -> None:
        for sequence, frame in enumerate(voice.frames):
            await pace.until(sequence * FRAME_MS / 1_000)
            await (sender.silent() if frame is None else sender.send(frame))
        sender.leave()

    def _hear(self, response: StreamAudioResponse) -> None:
        """Note what the transcriber says; peers are numbered from 1 in the order in which they joined."""
        match response.WhichOneof("message"):
            case "peer_resolved":
                voice = self._voices[response.peer_resolved.peer - 1]
                self._ledger.is_resolved(self._peer(voice), voice.user_id, response.peer_resolved.participant_id)
            case "final":
                told = response.final
                peer = self._peer(self._voices[told.peer - 1])
                cut = Cut(told.first_sequence, told.last_sequence, told.text)
                self._ledger.final(Final(peer, told.utterance_id, cut, told.position))
            case "acknowledged":
                peer = self._peer(self._voices[response.acknowledged.peer - 1])
                self._ledger.acknowledge(peer, response.acknowledged.through_sequence)


@asynccontextmanager
async def traffic(
    ways: Sequence[Addresses], project_id: str, voices: Sequence[Voice], speed: float = SPEED
) -> AsyncIterator[Traffic]:
    """Traffic in a project while the context lasts; what was begun is finished before it ends.

    Args:
        ways: where the services are; rooms and callers take turns with them.
        project_id: the project.
        voices: who speaks in the rooms.
        speed: seconds of the meeting in one.
    """
    async with AsyncExitStack() as clients:
        opened = [
            await clients.enter_async_context(CortexClient(addresses, project_id, timeout=ONE_CALL))
            for addresses in ways
        ]
        goes_on = Traffic(opened, voices, speed)
        async with asyncio.TaskGroup() as running:
            running.create_task(goes_on.play_rooms())
            for caller in range(CALLERS):
                running.create_task(goes_on.command(caller))
            yield goes_on
            goes_on.end()
