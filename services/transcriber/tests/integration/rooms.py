"""The services around the transcriber, as these tests play them, and a bot on a real connection."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import grpc
import numpy as np
from cortex.common.v1.audio_pb2 import ENCODING_PCM_S16LE, AudioFormat, Encoding
from cortex.common.v1.claim_pb2 import CLAIM_UNVERIFIED
from cortex.common.v1.feed_pb2 import ReadEventsRequest, ReadEventsResponse, RecordedEvent
from cortex.identity.v1.identity_service_pb2 import ResolvePeerRequest, ResolvePeerResponse
from cortex.identity.v1.resources_pb2 import Participant
from cortex.session.v1.events_pb2 import SessionEnded
from cortex.session.v1.resources_pb2 import SESSION_STATUS_ACTIVE, SESSION_STATUS_ENDED, Session
from cortex.session.v1.session_service_pb2 import GetSessionRequest
from cortex.transcriber.v1 import transcriber_service_pb2 as pb
from cortex.transcriber.v1.transcriber_service_pb2_grpc import TranscriberServiceStub
from cortex_eventing.errors import NotFound, Unavailable
from cortex_eventing.times import span, stamp
from cortex_runtime.adapters.grpc_server import grpc_server
from cortex_runtime.readiness import Readiness
from cortex_runtime.settings import GrpcSettings
from cortex_testkit.fake_services import IDENTITY, SESSION, fake
from cortex_transcriber.adapters.scripted_recogniser import mark
from cortex_transcriber.speech.decoding import Pcm

FRAME_MS = 20
FRAME_SAMPLES = 320
ZERO = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
PATIENCE = 20.0


@dataclass
class Neighbours:
    """The session and the identity service.

    Attributes:
        sessions: those that exist, by id.
        identity_away: how often identity is still away.
        address: where both listen.
    """

    sessions: dict[str, Session] = field(default_factory=dict)
    ended: list[SessionEnded] = field(default_factory=list)
    identity_away: int = 0
    address: str = ""

    def session(self, project_id: str, language: str = "") -> str:
        """A new session that takes audio; its id."""
        made = Session(
            id=str(uuid.uuid4()),
            project_id=project_id,
            status=SESSION_STATUS_ACTIVE,
            create_time=stamp(ZERO),
            language=language,
        )
        self.sessions[made.id] = made
        return made.id

    def end(self, session_id: str) -> None:
        """The session is over."""
        self.sessions[session_id].status = SESSION_STATUS_ENDED
        self.ended.append(SessionEnded(session_id=session_id, ended_at=stamp(ZERO)))

    async def get_session(self, request: GetSessionRequest, _context: object) -> Session:
        """`GetSession`."""
        found = self.sessions.get(request.session_id)
        if found is None or found.project_id != request.project_id:
            raise NotFound("session")
        return found

    async def read_events(self, request: ReadEventsRequest, _context: object) -> ReadEventsResponse:
        """`ReadEvents`: every end is an event of its own aggregate."""
        events = [
            RecordedEvent(
                id=str(uuid.uuid4()),
                position=position,
                previous_position=position - 1,
                topic=SessionEnded.DESCRIPTOR.full_name,
                project_id=self.sessions[ended.session_id].project_id,
                aggregate_id=ended.session_id,
                version=2,
                recorded_at=stamp(ZERO),
                data=ended.SerializeToString(),
            )
            for position, ended in enumerate(self.ended, start=1)
            if position > request.after_position
        ]
        head = len(self.ended)
        return ReadEventsResponse(events=events, read_up_to=head, at_head=True, head_position=head)

    async def resolve_peer(self, request: ResolvePeerRequest, _context: object) -> ResolvePeerResponse:
        """`ResolvePeer`: whoever has the same user id is the same person."""
        if self.identity_away:
            self.identity_away -= 1
            raise Unavailable("the database of identity")
        person = uuid.uuid5(uuid.UUID(request.project_id), request.user_id or request.peer_id)
        participant = Participant(
            id=str(person), external_user_id=request.user_id, display_name=request.user_id.title()
        )
        return ResolvePeerResponse(participant=participant, claim=CLAIM_UNVERIFIED)


@asynccontextmanager
async def neighbours() -> AsyncIterator[Neighbours]:
    """Both services on one address."""
    played = Neighbours()
    session = fake(SESSION, GetSession=played.get_session, ReadEvents=played.read_events)
    identity = fake(IDENTITY, ResolvePeer=played.resolve_peer)
    async with grpc_server(GrpcSettings(grace=0), session, identity, readiness=Readiness()) as listening:
        played.address = listening.address
        yield played


def written(encoding: Encoding, rate: int, channels: int = 1, frame_ms: int = FRAME_MS) -> AudioFormat:
    """A format, as a peer declares it."""
    duration = span(timedelta(milliseconds=frame_ms))
    return AudioFormat(encoding=encoding, sample_rate=rate, channels=channels, frame_duration=duration)


def marked(pcm: Pcm, speaker: int) -> list[bytes]:
    """The frames of a recording, each marked so that the scripted recogniser can say which ones it heard."""
    whole = len(pcm) // FRAME_SAMPLES * FRAME_SAMPLES
    data = mark(np.asarray(pcm[:whole]), FRAME_SAMPLES, speaker).astype("<i2").tobytes()
    size = FRAME_SAMPLES * 2
    return [data[at : at + size] for at in range(0, len(data), size)]


NOBODY = 999
"""A handle that stands for no peer."""


class Bot:
    """A bot on a connection of its own."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.aio.insecure_channel(address)
        self.call = TranscriberServiceStub(self._channel).StreamAudio()
        self.answers: list[pb.StreamAudioResponse] = []
        self._changed = asyncio.Condition()
        self._listening = asyncio.create_task(self._listen())

    async def close(self) -> None:
        """Break the connection off."""
        self.call.cancel()
        await asyncio.wait([self._listening])
        if not self._listening.cancelled():
            self._listening.exception()
        await self._channel.close()

    async def open(self, project_id: str, session_id: str, *, include_interim: bool = False) -> None:
        """Say the first message."""
        await self.say(open=pb.Open(project_id=project_id, session_id=session_id, include_interim=include_interim))

    async def say(self, **message: object) -> None:
        """Say a message."""
        await self.call.write(pb.StreamAudioRequest(**message))

    async def join(
        self,
        peer: int = 1,
        peer_id: str = "peer-1",
        resume_from: int = 0,
        rate: int = 16_000,
        audio: AudioFormat | None = None,
    ) -> int:
        """Introduce a peer, and wait until it is known; the first frame that is needed."""
        audio = audio or written(ENCODING_PCM_S16LE, rate)
        joined = pb.PeerJoined(
            peer=peer,
            peer_id=peer_id,
            user_id="ada",
            format=audio,
            sequence_zero_at=stamp(ZERO),
            resume_from=resume_from,
        )
        known = len(self.of("peer_resolved")) + 1
        await self.say(peer_joined=joined)
        return (await self.until("peer_resolved", known))[-1].peer_resolved.resume_from

    async def hear(self, frames: list[bytes], first: int = 0, peer: int = 1, at_once: int = 25) -> None:
        """Send frames."""
        for at in range(0, len(frames), at_once):
            await self.say(frames=pb.Frames(peer=peer, first_sequence=first + at, payloads=frames[at : at + at_once]))

    async def everything_read(self) -> None:
        """Wait until what was sent has been taken: messages are read in order, and this one is answered at once."""
        refused = len(self.of("peer_refused")) + 1
        await self.say(peer_left=pb.PeerLeft(peer=NOBODY))
        await self.until("peer_refused", refused)

    async def until(self, kind: str, count: int = 1) -> list[pb.StreamAudioResponse]:
        """Wait for so many answers of a kind; all of them."""
        await self.when(lambda: len(self.of(kind)) >= count or self._listening.done())
        if len(self.of(kind)) < count:
            self._listening.result()
            raise AssertionError(f"closed without {kind}")
        return self.of(kind)

    async def when(self, holds: Callable[[], bool]) -> None:
        """Wait until the answers are as they should be."""
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(holds)

    async def closed(self) -> None:
        """Wait for the end; raises the status when it is not OK."""
        async with asyncio.timeout(PATIENCE):
            await self._listening

    def of(self, kind: str) -> list[pb.StreamAudioResponse]:
        """The answers of a kind so far."""
        return [answer for answer in self.answers if answer.WhichOneof("message") == kind]

    @property
    def texts(self) -> list[str]:
        """The finals so far."""
        return [answer.final.text for answer in self.of("final")]

    @property
    def acknowledged(self) -> int:
        """Up to where audio is accounted for."""
        return max([answer.acknowledged.through_sequence for answer in self.of("acknowledged")], default=-1)

    async def _listen(self) -> None:
        try:
            async for answer in self.call:
                async with self._changed:
                    self.answers.append(answer)
                    self._changed.notify_all()
        finally:
            async with self._changed:
                self._changed.notify_all()
