"""A transcriber that stores what a test says: its events in a real store, on a real stream, behind a real feed."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from cortex.common.v1.claim_pb2 import CLAIM_UNVERIFIED
from cortex.transcriber.v1.events_pb2 import SpeakerJoined, SpeakerLeft, UtteranceTranscribed
from cortex_eventing.adapters.nats.connection import connected
from cortex_eventing.adapters.nats.messages import Envelopes
from cortex_eventing.adapters.nats.stream import NatsStream, StreamSettings
from cortex_eventing.adapters.postgres.event_store import PostgresEventStore
from cortex_eventing.catalogue import Catalogue
from cortex_eventing.ports import Append
from cortex_eventing.recorded import Origin
from cortex_eventing.relay import Relay
from cortex_eventing.times import span, stamp
from cortex_runtime.adapters.feed_servicer import FeedServicer
from cortex_runtime.database import DatabaseAccess
from google.protobuf.message import Message

from cortex_testkit.fake_services import TRANSCRIBER, fake, listening
from cortex_testkit.projecting import role

EVENTS = Catalogue([SpeakerJoined, SpeakerLeft, UtteranceTranscribed])
STREAM = "TRANSCRIBER"


class Room:
    """What is heard in the room of one session.

    Args:
        store: the transcriber's.
        project_id: of the session.
        session_id: canonical text.
        zero: when the session was created.
        bot_ahead: so much the bot's clock, by which everything is dated, is ahead of ours.
    """

    def __init__(
        self, store: PostgresEventStore, project_id: str, session_id: str, zero: datetime, bot_ahead: timedelta
    ) -> None:
        self._store = store
        self._project_id = project_id
        self._session_id = session_id
        self._zero = zero
        self._bot_ahead = bot_ahead

    async def joins(self, name: str, peer_id: str, seconds: float = 0) -> None:
        """Somebody's peer comes, so many seconds into the session."""
        at = self._zero + timedelta(seconds=seconds)
        await self._keep(SpeakerJoined(**self._person(name, peer_id), joined_at=stamp(at + self._bot_ahead)), at)

    async def leaves(self, name: str, peer_id: str, seconds: float = 0) -> None:
        """Somebody's peer goes."""
        at = self._zero + timedelta(seconds=seconds)
        left = SpeakerLeft(
            session_id=self._session_id,
            peer_id=peer_id,
            participant_id=participant_of(name),
            left_at=stamp(at + self._bot_ahead),
        )
        await self._keep(left, at)

    async def says(self, name: str, text: str, seconds: float = 0, peer_id: str = "") -> None:
        """Somebody says something, which takes a second."""
        at, began = self._zero + timedelta(seconds=seconds), timedelta(seconds=seconds) + self._bot_ahead
        utterance = UtteranceTranscribed(
            **self._person(name, peer_id or f"{name}'s peer"),
            utterance_id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self._session_id} {name} {seconds} {text}")),
            text=text,
            started_at=stamp(self._zero + began),
            ended_at=stamp(self._zero + began + timedelta(seconds=1)),
            start_offset=span(began),
            end_offset=span(began + timedelta(seconds=1)),
            confidence=0.75,
            language="en",
            model="scripted",
            heard_at=stamp(at),
        )
        await self._keep(utterance, at)

    def _person(self, name: str, peer_id: str) -> dict[str, Any]:
        return {
            "session_id": self._session_id,
            "peer_id": peer_id,
            "participant_id": participant_of(name),
            "external_user_id": f"u-{name}",
            "display_name": name,
            "claim": CLAIM_UNVERIFIED,
        }

    async def _keep(self, event: Message, at: datetime) -> None:
        append = Append(
            origin=Origin(self._project_id),
            aggregate_id=uuid.uuid4(),
            expected_version=0,
            events=[event],
            recorded_at=at,
            resource_id=self._session_id,
        )
        await self._store.append([append])


class ScriptedTranscriber:
    """Stores what rooms are said to hear. `address` is where its feed is."""

    def __init__(self, store: PostgresEventStore, address: str) -> None:
        self._store = store
        self.address = address

    def room(self, project_id: str, session_id: str, zero: datetime, bot_ahead: timedelta = timedelta(0)) -> Room:
        """The room of a session that was created at `zero`, whose bot's clock may be ahead."""
        return Room(self._store, project_id, session_id, zero, bot_ahead)


def participant_of(name: str) -> str:
    """The participant that a name stands for."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, name))


@asynccontextmanager
async def scripted_transcriber(access: DatabaseAccess, nats_url: str) -> AsyncIterator[ScriptedTranscriber]:
    """The transcriber's store, relay and feed, as long as the context lasts.

    Args:
        access: a database with the migrations of `cortex_eventing.adapters`.
        nats_url: where its stream is made.
    """
    async with (
        PostgresEventStore(access.writer_dsn, EVENTS, b"no claims are taken") as store,
        connected(nats_url, "scripted-transcriber") as nats,
        role(
            Relay(
                store, NatsStream(nats, StreamSettings(STREAM, EVENTS.filters()), Envelopes(EVENTS, "transcriber"))
            ).run
        ),
        listening(fake(TRANSCRIBER, ReadEvents=FeedServicer(store).ReadEvents)) as server,
    ):
        yield ScriptedTranscriber(store, server.address)
