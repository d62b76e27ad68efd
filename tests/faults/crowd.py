"""Fifty rooms at once, whose bots go to either of two transcribers and come back to any of them."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import cycle
from random import Random
from typing import cast

import grpc
from cortex.transcriber.v1.transcriber_service_pb2 import StreamAudioResponse
from cortex.transcriber.v1.transcriber_service_pb2_grpc import TranscriberServiceStub
from cortex_client.audio_stream import AudioStream, StreamCall
from cortex_client.client import CortexClient
from cortex_client.demo.meeting import FRAME_MS
from cortex_client.demo.pacing import Pace
from cortex_client.peer import Encoding, Speaker
from cortex_client.peer import Peer as Sender

from tests.faults.crowd_voices import Frames, Kind, frames_of, kind_of, kinds
from tests.faults.ledger import Cut, Final, Ledger, Peer
from tests.faults.unruly_bot import UnrulyCall

BOTS = 5
"""Processes that the rooms' bots would be: each has one connection to every transcriber."""

PAIRED = 5
"""Every fifth room has a second speaker."""

SPEED = 4.0
"""Seconds of the meeting in one."""

AT_ONCE = 5
"""Frames that a bot hands over together: 100 ms, as bots do."""

HEARD_WITHIN = 100.0
"""Seconds until everything was heard, whatever was killed; many times what it takes."""

NOTICES_MS = 2_000
"""A bot of ours asks a silent connection whether it is still there after so long, and waits as long for the answer:
sooner than bots do, since the test waits for it."""

OPTIONS = (
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.keepalive_time_ms", NOTICES_MS),
    ("grpc.keepalive_timeout_ms", NOTICES_MS),
    ("grpc.http2.ping_timeout_ms", NOTICES_MS),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)


@dataclass(frozen=True)
class Member:
    """One speaker of one room."""

    number: int
    kind: Kind

    @property
    def peer_id(self) -> str:
        """What the voice server calls the connection."""
        return f"connection-{self.number}"

    @cached_property
    def frames(self) -> Frames:
        """What the bot sends."""
        return frames_of(self.kind, self.number)


@dataclass
class Crowd:
    """Rooms that are played side by side.

    Attributes:
        ledger: what the bots were told.
        members: everybody who speaks, once it is known in which session.
        connections: how often a bot has connected, by the address.
    """

    ledger: Ledger
    members: dict[Peer, Member] = field(default_factory=dict)
    connections: Counter[str] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        """How much of all audio is acknowledged."""
        sent = sum(len(member.frames) for member in self.members.values())
        acknowledged = sum(self.ledger.acknowledged.get(peer, -1) + 1 for peer in self.members)
        return acknowledged / sent if sent else 0.0

    @property
    def heard(self) -> bool:
        """Whether everybody was heard to the end."""
        return len(self.ledger.played) == len(self.members)


def rooms_of(count: int, scripted: bool) -> Sequence[Sequence[Member]]:
    """So many rooms, of one or two speakers, whose numbers begin at 1."""
    numbers = iter(range(1, 2 * count + 1))
    return [
        [Member(number, kind_of(number, scripted)) for number in [next(numbers) for _ in range(1 + (at % PAIRED == 0))]]
        for at in range(count)
    ]


def one_of_each(scripted: bool) -> Sequence[Sequence[Member]]:
    """A room for every kind of speaker."""
    return [[Member(number, kind)] for number, kind in enumerate(kinds(scripted), start=1)]


@asynccontextmanager
async def crowd(
    cortex: CortexClient, addresses: Sequence[str], rooms: Sequence[Sequence[Member]], chance: Random
) -> AsyncIterator[Crowd]:
    """A crowd that speaks while the context lasts; at its end all of it was heard.

    Args:
        cortex: for the sessions.
        addresses: of the transcribers.
        rooms: who speaks in them.
        chance: of everything that bots do and networks do to their messages.
    """
    gathering = Crowd(Ledger(cortex.project_id))
    async with AsyncExitStack() as channels, asyncio.timeout(HEARD_WITHIN):
        bots = [[await channels.enter_async_context(_channel(each)) for each in addresses] for _ in range(BOTS)]
        sessions = [await _session(cortex) for _ in rooms]
        for session_id, members in zip(sessions, rooms, strict=True):
            gathering.members.update({Peer(session_id, member.peer_id): member for member in members})
        async with asyncio.TaskGroup() as playing:
            for at, (session_id, members) in enumerate(zip(sessions, rooms, strict=True)):
                ways = list(zip(addresses, bots[at % BOTS], strict=True))
                own = Random(chance.random())  # noqa: S311 - disorder, no secret
                own.shuffle(ways)
                room = _Room(gathering, session_id, members, _connecting(ways, gathering.connections, own))
                playing.create_task(room.play())
            yield gathering
        for session_id in sessions:
            await cortex.stop_session(session_id)


def _channel(address: str) -> grpc.aio.Channel:
    return grpc.aio.insecure_channel(address, options=OPTIONS)


async def _session(cortex: CortexClient) -> str:
    created = await cortex.create_session(f"room-{uuid.uuid4()}", "cortex://crowd")
    return created.session.id


def _connecting(
    ways: Sequence[tuple[str, grpc.aio.Channel]], connections: Counter[str], chance: Random
) -> Callable[[], StreamCall]:
    """Opens a connection to one transcriber after the other."""
    turns = cycle(ways)

    def connect() -> StreamCall:
        address, channel = next(turns)
        connections[address] += 1
        return cast("StreamCall", UnrulyCall(TranscriberServiceStub(channel).StreamAudio(), FRAME_MS, chance))

    return connect


class _Room:
    """One bot's stream, from its opening to its end."""

    def __init__(
        self, gathering: Crowd, session_id: str, members: Sequence[Member], connect: Callable[[], StreamCall]
    ) -> None:
        self._ledger = gathering.ledger
        self._session_id = session_id
        self._members = members
        self._connect = connect
        # Said before the session began and ended, as far as the numbering of the frames is concerned.
        longest = max(len(member.frames) for member in members)
        self._zero_at = datetime.now(UTC) - timedelta(milliseconds=longest * FRAME_MS)

    async def play(self) -> None:
        """Send all that is said, and wait until it was heard."""
        async with AudioStream(self._connect, self._ledger.project_id, self._session_id, hear=self._hear) as audio:
            pace = Pace(SPEED)
            async with asyncio.TaskGroup() as speaking:
                for member in self._members:
                    sender = await audio.join(self._speaker(member))
                    speaking.create_task(_speak(member.frames, sender, pace))
        for member in self._members:
            self._ledger.played[self._peer(member)] = len(member.frames) - 1

    def _speaker(self, member: Member) -> Speaker:
        audio = member.kind.audio
        return Speaker(
            peer_id=member.peer_id,
            user_id=f"user-{member.number}",
            sequence_zero_at=self._zero_at,
            sample_rate=audio.sample_rate,
            frame_duration=timedelta(milliseconds=audio.frame_ms),
            encoding=Encoding[audio.encoding.name],
            channels=audio.channels,
        )

    def _peer(self, member: Member) -> Peer:
        return Peer(self._session_id, member.peer_id)

    def _hear(self, response: StreamAudioResponse) -> None:
        """Note what the transcriber says; peers are numbered from 1 in the order in which they joined."""
        match response.WhichOneof("message"):
            case "peer_resolved":
                told = response.peer_resolved
                peer = self._peer(self._members[told.peer - 1])
                self._ledger.is_resolved(peer, peer.peer_id, told.participant_id)
                self._ledger.acknowledge(peer, told.resume_from - 1)
            case "final":
                final = response.final
                cut = Cut(final.first_sequence, final.last_sequence, final.text)
                peer = self._peer(self._members[final.peer - 1])
                self._ledger.final(Final(peer, final.utterance_id, cut, final.position))
            case "acknowledged":
                peer = self._peer(self._members[response.acknowledged.peer - 1])
                self._ledger.acknowledge(peer, response.acknowledged.through_sequence)


async def _speak(frames: Frames, sender: Sender, pace: Pace) -> None:
    for sequence, frame in enumerate(frames):
        if sequence % AT_ONCE == 0:
            await pace.until(sequence * FRAME_MS / 1_000)
        await (sender.silent() if frame is None else sender.send(frame))
    sender.leave()
