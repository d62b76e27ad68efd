"""The one place that knows who talks to whom in identity; start and stop order is the indentation."""

from argparse import Namespace
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from cortex.identity.v1.identity_service_pb2 import DESCRIPTOR
from cortex.identity.v1.identity_service_pb2_grpc import add_IdentityServiceServicer_to_server
from cortex_eventing.adapters.nats.connection import Nats, connected
from cortex_eventing.adapters.nats.messages import Envelopes
from cortex_eventing.adapters.nats.reader import NatsSource
from cortex_eventing.adapters.nats.stream import NatsStream, StreamSettings
from cortex_eventing.adapters.postgres.election import PostgresElection
from cortex_eventing.adapters.postgres.event_store import PostgresEventStore
from cortex_eventing.adapters.postgres.link import Link, linked
from cortex_eventing.adapters.postgres.progress import PostgresProgress
from cortex_eventing.adapters.postgres.projection_store import PostgresProjectionStore
from cortex_eventing.adapters.postgres.views import Views
from cortex_eventing.claims import rebuild_claims
from cortex_eventing.command_handling import CommandHandling
from cortex_eventing.progress import ProgressBoard
from cortex_eventing.projection import ProjectionRunner, rebuild
from cortex_eventing.reading import Source
from cortex_eventing.relay import Relay
from cortex_eventing.request_purge import RequestPurge
from cortex_eventing.role_state import Reports
from cortex_eventing.roles import Role, running
from cortex_runtime.adapters.admin_http import admin_http
from cortex_runtime.adapters.grpc_server import Listening, Served, grpc_server
from cortex_runtime.adapters.operating import Operating
from cortex_runtime.adapters.postgres_watch import watch_postgres
from cortex_runtime.adapters.schema import bring_up_to_date
from cortex_runtime.clock import SystemClock
from cortex_runtime.command_line import Task
from cortex_runtime.ids import Uuid7Ids
from cortex_runtime.readiness import POSTGRES, Readiness

from cortex_identity.adapters.grpc_participants import IdentityServicer
from cortex_identity.adapters.postgres_participants import ParticipantList
from cortex_identity.commanding import Participants
from cortex_identity.derived import EVENTS, PARTICIPANT_LIST, claims_of
from cortex_identity.domain.decisions import PARTICIPANTS
from cortex_identity.settings import IdentitySettings

SERVICE = "identity"
STREAM = "IDENTITY"
REFILL = "python -m cortex_identity refill-stream"
MIGRATIONS = ("cortex_eventing.adapters", "cortex_identity")


@asynccontextmanager
async def identity_service(settings: IdentitySettings) -> AsyncIterator[Listening]:
    """Identity, as one process runs it."""
    access = settings.postgres.access
    await bring_up_to_date(access, *MIGRATIONS)
    board, reports, readiness = ProgressBoard(), Reports(), Readiness(POSTGRES)
    async with (
        event_store(settings) as store,
        connected(settings.nats.url, f"cortex-{SERVICE}") as nats,
        Views(access.reader_dsn) as views,
        linked(access.writer_dsn, "cortex-projection") as projecting,
        running(
            _elected(settings, store, nats, projecting, board), reports, PostgresElection(access.writer_dsn, SERVICE)
        ),
        running(_everywhere(access.writer_dsn, board, readiness), reports),
        grpc_server(settings.grpc, _served(store, views, board), readiness=readiness) as listening,
    ):
        with admin_http(settings.admin):
            yield listening


def event_store(settings: IdentitySettings) -> PostgresEventStore:
    """The events of identity."""
    key = settings.claim_key.get_secret_value().encode()
    return PostgresEventStore(settings.postgres.access.writer_dsn, EVENTS, key)


def _elected(
    settings: IdentitySettings, store: PostgresEventStore, nats: Nats, projecting: Link, board: ProgressBoard
) -> Sequence[Role]:
    """What one replica does for all."""
    stream = StreamSettings(STREAM, EVENTS.filters(), manage=settings.nats.manage_streams)
    own = Source(NatsSource(nats, STREAM), store, store.changes)
    relay = Relay(store, NatsStream(nats, stream, Envelopes(EVENTS, SERVICE)), refill=REFILL)
    rows = PostgresProjectionStore(projecting, PARTICIPANT_LIST)
    projection = ProjectionRunner(PARTICIPANT_LIST, rows, own, board.of(PARTICIPANT_LIST.name))
    return (
        Role("relay", relay.run),
        Role(f"projection:{PARTICIPANT_LIST.name}", projection.run),
        Role("requests", RequestPurge(store, SystemClock()).run),
    )


def _everywhere(writer: str, board: ProgressBoard, readiness: Readiness) -> Sequence[Role]:
    """What every replica does for itself."""
    return (
        Role("progress", PostgresProgress(writer, board).run),
        Role("postgres", lambda _: watch_postgres(writer, readiness)),
    )


def _served(store: PostgresEventStore, views: Views, board: ProgressBoard) -> Served:
    clock = SystemClock()
    handling = CommandHandling(PARTICIPANTS, store, clock)
    participants = Participants(handling, store.claim_owner, clock, Uuid7Ids(clock))
    progress = board.of(PARTICIPANT_LIST.name)
    servicer = IdentityServicer(participants, ParticipantList(views), progress, store, clock)
    service = DESCRIPTOR.services_by_name["IdentityService"]
    return Served(service, add_IdentityServiceServicer_to_server, servicer)


async def _migrate(settings: IdentitySettings, _arguments: Namespace) -> str:
    applied = await bring_up_to_date(settings.postgres.access, *MIGRATIONS)
    return f"applied {len(applied)} migrations"


async def _rebuild(settings: IdentitySettings, _arguments: Namespace) -> str:
    async with linked(settings.postgres.access.writer_dsn, "cortex-rebuild") as link:
        await rebuild(PostgresProjectionStore(link, PARTICIPANT_LIST))
    return "the read models are empty; the running service fills them again"


async def _rebuild_claims(settings: IdentitySettings, _arguments: Namespace) -> str:
    async with event_store(settings) as store:
        return f"{await rebuild_claims(store, EVENTS, claims_of)} claims are held"


TASKS: Mapping[str, Task[IdentitySettings]] = {
    "migrate": Task("bring the database's schema up to date, as its owner", _migrate),
    "rebuild": Task("make the read models anew from the events", _rebuild),
    "rebuild-claims": Task(
        "make the claims anew from the events, for instance under another claim key", _rebuild_claims
    ),
    **Operating[IdentitySettings](STREAM, (PARTICIPANT_LIST.name,)).tasks,
}
"""What the command line does beside running the service."""
