"""The eventing parts of a service that does not exist, wired as a real one's: store, relay, projection, views."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from cortex_eventing.adapters.nats.connection import connected
from cortex_eventing.adapters.nats.messages import Envelopes
from cortex_eventing.adapters.nats.reader import NatsSource
from cortex_eventing.adapters.nats.stream import NatsStream, StreamSettings
from cortex_eventing.adapters.postgres.election import PostgresElection
from cortex_eventing.adapters.postgres.event_store import PostgresEventStore
from cortex_eventing.adapters.postgres.link import Link
from cortex_eventing.adapters.postgres.progress import PostgresProgress
from cortex_eventing.adapters.postgres.projection_store import PostgresProjectionStore
from cortex_eventing.adapters.postgres.views import Views
from cortex_eventing.catalogue import Catalogue
from cortex_eventing.ports import Append
from cortex_eventing.progress import ProgressBoard
from cortex_eventing.projection import ProjectionRunner
from cortex_eventing.reading import Source
from cortex_eventing.recorded import Origin
from cortex_eventing.relay import Relay
from cortex_eventing.role_state import Reports
from cortex_eventing.roles import Role, running
from cortex_runtime.database import DatabaseAccess
from google.protobuf.message import Message

from cortex_testkit.event_log import PROJECT, THEN
from cortex_testkit.sample_events import BoxFilled, BoxOpened
from cortex_testkit.sample_read_model import PROJECTION

CATALOGUE = Catalogue((BoxOpened, BoxFilled))
STREAM = "BOXES"


@dataclass(frozen=True)
class BoxService:
    """What a test needs of it."""

    store: PostgresEventStore
    stream: NatsStream
    source: NatsSource
    board: ProgressBoard
    views: Views
    reports: Reports

    async def add(self, *events: Message, project_id: str = PROJECT) -> int:
        """Store events, each the first of an aggregate of its own; the position of the last."""
        appends = [
            Append(Origin(project_id), uuid.uuid4(), 0, [event], THEN, resource_id=f"box {index}")
            for index, event in enumerate(events)
        ]
        return max(done.position for done in await self.store.append(appends))

    async def seen(self, position: int) -> None:
        """Wait until the read models show a position."""
        await self.board.of(PROJECTION.name).reached(position)


@asynccontextmanager
async def box_service(access: DatabaseAccess, nats_url: str) -> AsyncIterator[BoxService]:
    """One replica of it; the others are more of these on the same servers."""
    board, reports = ProgressBoard(), Reports()
    link = Link(access.writer_dsn, "boxes")
    async with (
        connected(nats_url, "boxes") as nats,
        PostgresEventStore(access.writer_dsn, CATALOGUE, b"a secret of the tests") as store,
        Views(access.reader_dsn) as views,
    ):
        stream = NatsStream(nats, StreamSettings(STREAM, CATALOGUE.filters()), Envelopes(CATALOGUE, "boxes"))
        source = NatsSource(nats, STREAM)
        projecting = ProjectionRunner(
            PROJECTION,
            PostgresProjectionStore(link, PROJECTION),
            Source(source, store, store.changes),
            board.of(PROJECTION.name),
        )
        elected = [Role("relay", Relay(store, stream).run), Role("projection", projecting.run)]
        everywhere = [Role("progress", PostgresProgress(access.writer_dsn, board).run)]
        async with (
            running(everywhere, reports),
            running(elected, reports, PostgresElection(access.writer_dsn, "boxes")),
        ):
            yield BoxService(store, stream, source, board, views, reports)
        await link.close()


def amounts(rows: Sequence[tuple[object, ...]]) -> dict[object, object]:
    """The amount of each box, from the rows of `boxes`."""
    return {row[1]: row[3] for row in rows}
