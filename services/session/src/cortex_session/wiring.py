"""The one place that knows who talks to whom in session; start and stop order is the indentation."""

from argparse import Namespace
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from cortex.session.v1.session_service_pb2 import DESCRIPTOR
from cortex.session.v1.session_service_pb2_grpc import add_SessionServiceServicer_to_server
from cortex.transcriber.v1.transcriber_service_pb2_grpc import TranscriberServiceStub
from cortex_eventing.adapters.nats.connection import Nats, connected
from cortex_eventing.adapters.nats.messages import Envelopes
from cortex_eventing.adapters.nats.reader import NatsSource
from cortex_eventing.adapters.nats.stream import NatsStream, StreamSettings
from cortex_eventing.adapters.postgres.checkpoint_store import PostgresCheckpointStore
from cortex_eventing.adapters.postgres.election import PostgresElection
from cortex_eventing.adapters.postgres.event_store import PostgresEventStore
from cortex_eventing.adapters.postgres.link import Link, linked
from cortex_eventing.adapters.postgres.progress import PostgresProgress
from cortex_eventing.adapters.postgres.projection_store import PostgresProjectionStore
from cortex_eventing.adapters.postgres.views import Views
from cortex_eventing.claims import rebuild_claims
from cortex_eventing.command_handling import CommandHandling
from cortex_eventing.ports import EventFeed
from cortex_eventing.progress import ProgressBoard
from cortex_eventing.projection import ProjectionRunner, rebuild
from cortex_eventing.reaction_runner import ReactionRunner
from cortex_eventing.reading import Source
from cortex_eventing.relay import Relay
from cortex_eventing.request_purge import RequestPurge
from cortex_eventing.role_state import Reports
from cortex_eventing.roles import Role, running
from cortex_runtime.adapters.admin_http import admin_http
from cortex_runtime.adapters.channels import channel_to
from cortex_runtime.adapters.grpc_feed import GrpcFeed
from cortex_runtime.adapters.grpc_server import Listening, Served, grpc_server
from cortex_runtime.adapters.operating import Operating
from cortex_runtime.adapters.postgres_watch import watch_postgres
from cortex_runtime.adapters.schema import bring_up_to_date
from cortex_runtime.clock import SystemClock
from cortex_runtime.command_line import Task
from cortex_runtime.ids import Uuid7Ids
from cortex_runtime.readiness import POSTGRES, Readiness

from cortex_session.adapters.grpc_sessions import SessionServicer
from cortex_session.adapters.live_interims import NatsLiveTexts
from cortex_session.adapters.postgres_rooms import Rooms
from cortex_session.commanding import Sessions
from cortex_session.derived import EVENTS, ROOMS, RoomClaims
from cortex_session.domain.attendance import ATTENDANCES
from cortex_session.domain.messages import MESSAGES
from cortex_session.domain.sessions import SESSIONS
from cortex_session.following import RoomFollower
from cortex_session.reactions.follow_speakers import FOLLOW_SPEAKERS
from cortex_session.settings import SessionSettings
from cortex_session.settling import Settling, Stage
from cortex_session.watching import MessageWatch

SERVICE = "session"
STREAM = "SESSION"
TRANSCRIBER_STREAM = "TRANSCRIBER"
REFILL = "python -m cortex_session refill-stream"
MIGRATIONS = ("cortex_eventing.adapters", "cortex_session")
CLOCK = SystemClock()


@asynccontextmanager
async def session_service(settings: SessionSettings) -> AsyncIterator[Listening]:
    """Session, as one process runs it."""
    access = settings.postgres.access
    await bring_up_to_date(access, *MIGRATIONS)
    board, reports, readiness = ProgressBoard(), Reports(), Readiness(POSTGRES)
    async with (
        event_store(settings) as store,
        connected(settings.nats.url, f"cortex-{SERVICE}") as nats,
        transcriber_feed(settings) as heard,
        Views(access.reader_dsn) as views,
        linked(access.writer_dsn, "cortex-projection") as projecting,
        linked(access.writer_dsn, "cortex-reaction") as reacting,
        running(
            [
                *_own_events(settings, store, nats, projecting, board),
                _speakers(store, nats, heard, reacting),
            ],
            reports,
            PostgresElection(access.writer_dsn, SERVICE),
        ),
        running(_everywhere(access.writer_dsn, board, readiness), reports),
        grpc_server(settings.grpc, _served(store, heard, nats, views, board), readiness=readiness) as listening,
    ):
        with admin_http(settings.admin):
            yield listening


def event_store(settings: SessionSettings) -> PostgresEventStore:
    """The events of session."""
    return PostgresEventStore(
        settings.postgres.access.writer_dsn, EVENTS, settings.claim_key.get_secret_value().encode()
    )


@asynccontextmanager
async def transcriber_feed(settings: SessionSettings) -> AsyncIterator[EventFeed]:
    """What the transcriber hears."""
    async with channel_to(settings.transcriber.address) as transcriber:
        yield GrpcFeed(TranscriberServiceStub(transcriber), "transcriber")


def _own_events(
    settings: SessionSettings, store: PostgresEventStore, nats: Nats, projecting: Link, board: ProgressBoard
) -> Sequence[Role]:
    """What one replica does for all with this service's events."""
    stream = StreamSettings(STREAM, EVENTS.filters(), manage=settings.nats.manage_streams)
    relay = Relay(store, NatsStream(nats, stream, Envelopes(EVENTS, SERVICE)), refill=REFILL)
    source = Source(NatsSource(nats, STREAM), store, store.changes)
    projection = ProjectionRunner(ROOMS, PostgresProjectionStore(projecting, ROOMS), source, board.of(ROOMS.name))
    return (
        Role("relay", relay.run),
        Role(f"projection:{ROOMS.name}", projection.run),
        Role("requests", RequestPurge(store, CLOCK).run),
    )


def _speakers(store: PostgresEventStore, nats: Nats, heard: EventFeed, reacting: Link) -> Role:
    """What one replica does for all with the transcriber's events."""
    follower = RoomFollower(
        _sessions(store), CommandHandling(MESSAGES, store, CLOCK), CommandHandling(ATTENDANCES, store, CLOCK)
    )
    checkpoint = PostgresCheckpointStore(reacting, FOLLOW_SPEAKERS.name)
    source = Source(NatsSource(nats, TRANSCRIBER_STREAM), heard)
    runner = ReactionRunner(FOLLOW_SPEAKERS, follower.execute, checkpoint, source)
    return Role(f"reaction:{FOLLOW_SPEAKERS.name}", runner.run)


def _everywhere(writer_dsn: str, board: ProgressBoard, readiness: Readiness) -> Sequence[Role]:
    """What every replica does for itself."""
    return (
        Role("progress", PostgresProgress(writer_dsn, board).run),
        Role("postgres", lambda _: watch_postgres(writer_dsn, readiness)),
    )


def _served(store: PostgresEventStore, heard: EventFeed, nats: Nats, views: Views, board: ProgressBoard) -> Served:
    rooms, progress = Rooms(views), board.of(ROOMS.name)
    settling = Settling(Stage(heard.head, board.of(FOLLOW_SPEAKERS.name)), Stage(store.head, progress))
    watch = MessageWatch(rooms, settling, live=NatsLiveTexts(nats), clock=CLOCK)
    servicer = SessionServicer(_sessions(store), rooms, progress, watch, store)
    return Served(DESCRIPTOR.services_by_name["SessionService"], add_SessionServiceServicer_to_server, servicer)


def _sessions(store: PostgresEventStore) -> Sessions:
    return Sessions(CommandHandling(SESSIONS, store, CLOCK), CLOCK, Uuid7Ids(CLOCK))


async def _migrate(settings: SessionSettings, _arguments: Namespace) -> str:
    applied = await bring_up_to_date(settings.postgres.access, *MIGRATIONS)
    return f"applied {len(applied)} migrations"


async def _rebuild(settings: SessionSettings, _arguments: Namespace) -> str:
    async with linked(settings.postgres.access.writer_dsn, "cortex-rebuild") as link:
        await rebuild(PostgresProjectionStore(link, ROOMS))
    return "the read models are empty; the running service fills them again"


async def _rebuild_claims(settings: SessionSettings, _arguments: Namespace) -> str:
    async with event_store(settings) as store:
        return f"{await rebuild_claims(store, EVENTS, RoomClaims())} claims are held"


TASKS: Mapping[str, Task[SessionSettings]] = {
    "migrate": Task("bring the database's schema up to date, as its owner", _migrate),
    "rebuild": Task("make the read models anew from the events", _rebuild),
    "rebuild-claims": Task("make the claims anew from the events, for instance under another key", _rebuild_claims),
    **Operating[SessionSettings](STREAM, (ROOMS.name, FOLLOW_SPEAKERS.name)).tasks,
}
"""What the command line does beside running the service."""
