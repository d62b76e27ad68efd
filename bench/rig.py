"""What the programs measure on: servers of their own, and the parts of the identity service put together by hand."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from cortex_eventing.adapters.nats.connection import Nats, connected
from cortex_eventing.adapters.nats.messages import Envelopes
from cortex_eventing.adapters.nats.reader import NatsSource
from cortex_eventing.adapters.nats.stream import NatsStream, StreamSettings
from cortex_eventing.adapters.postgres.event_store import PostgresEventStore
from cortex_eventing.adapters.postgres.link import Link
from cortex_eventing.adapters.postgres.projection_store import PostgresProjectionStore
from cortex_eventing.catalogue import Catalogue
from cortex_eventing.ports import EventFeed
from cortex_eventing.progress import Progress
from cortex_eventing.projection import Projection, ProjectionRunner
from cortex_eventing.reading import Source
from cortex_eventing.recorded import RecordedBytes
from cortex_eventing.relay import Relay
from cortex_eventing.stream_ports import OwnStream
from cortex_eventing.waking import Changes
from cortex_identity.domain.decisions import PARTICIPANTS
from cortex_identity.read_models.participants import PARTICIPANTS as PARTICIPANT_ROWS
from cortex_runtime.adapters.embedded import NatsServer, PostgresServer, embedded_nats, embedded_postgres
from cortex_runtime.adapters.migrations import migrate
from cortex_runtime.adapters.roles import create_service_database
from cortex_runtime.database import DatabaseAccess
from cortex_testkit.waiting import eventually
from psycopg.conninfo import conninfo_to_dict

SERVICE = "identity"
STREAM = "IDENTITY"
EVENTS = Catalogue(PARTICIPANTS.events)
ENVELOPES = Envelopes(EVENTS, SERVICE)
PROJECTION = Projection("participants", (PARTICIPANT_ROWS,))
CLAIM_KEY = b"a key that guards nothing but a bench"
READ_AT_ONCE = 1_000


@dataclass(frozen=True)
class Rig:
    """The servers, and a service's database, store and connection to NATS."""

    postgres: PostgresServer
    nats_server: NatsServer
    access: DatabaseAccess
    store: PostgresEventStore
    nats: Nats

    def stream(self) -> NatsStream:
        """The service's stream, made or not."""
        return NatsStream(self.nats, StreamSettings(STREAM, EVENTS.filters()), ENVELOPES)

    def relay(self, stream: OwnStream | None = None) -> Relay:
        """What fills the stream."""
        return Relay(self.store, stream or self.stream())

    def projection(self, link: Link, progress: Progress, feed: EventFeed, changes: Changes | None) -> ProjectionRunner:
        """What keeps the participants' table; its events come from the stream and from `feed`."""
        source = Source(NatsSource(self.nats, STREAM), feed, changes)
        return ProjectionRunner(PROJECTION, PostgresProjectionStore(link, PROJECTION), source, progress)

    async def floor_dsn(self) -> str:
        """A database for a floor on the same server, as its owner."""
        return (await create_service_database(self.postgres.dsn, "floor")).owner_dsn

    async def floor_environment(self) -> dict[str, str]:
        """The same, as the eventsourcing library reads it from the environment."""
        parts = conninfo_to_dict(await self.floor_dsn())
        return {
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": str(parts["dbname"]),
            "POSTGRES_HOST": str(parts["host"]),
            "POSTGRES_PORT": str(parts["port"]),
            "POSTGRES_USER": str(parts["user"]),
            "POSTGRES_PASSWORD": str(parts["password"]),
        }


@asynccontextmanager
async def identity_rig() -> AsyncIterator[Rig]:
    """Both servers, and an empty, migrated database."""
    async with embedded_postgres() as postgres, embedded_nats() as nats_server:
        access = await create_service_database(postgres.dsn, SERVICE)
        await migrate(access, "cortex_eventing.adapters", "cortex_identity")
        async with (
            PostgresEventStore(access.writer_dsn, EVENTS, CLAIM_KEY) as store,
            connected(nats_server.url, "bench") as nats,
        ):
            await eventually(lambda: nats.is_connected)
            yield Rig(postgres, nats_server, access, store, nats)


async def all_events(store: EventFeed) -> Sequence[RecordedBytes]:
    """Every event of a store, in order."""
    found: list[RecordedBytes] = []
    after, at_head = 0, False
    while not at_head:
        page = await store.read(after, READ_AT_ONCE)
        found += page.events
        after, at_head = page.read_up_to, page.at_head
    return found
