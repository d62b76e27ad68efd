"""A connection to NATS, a stream and read models of its own for each test, and ways to run what works on them."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest
from cortex_eventing.adapters.nats.connection import Nats, connected
from cortex_eventing.adapters.nats.messages import Envelopes
from cortex_eventing.adapters.nats.reader import NatsSource
from cortex_eventing.adapters.nats.stream import NatsStream, StreamSettings, delete_stream
from cortex_eventing.catalogue import Catalogue
from cortex_runtime.database import DatabaseAccess
from cortex_testkit.contracts.stream_contract import StreamRig
from cortex_testkit.event_log import EventLog
from cortex_testkit.sample_events import BoxFilled, BoxOpened
from cortex_testkit.sample_tables import make_sample_tables
from cortex_testkit.waiting import eventually

CATALOGUE = Catalogue((BoxOpened, BoxFilled))
STREAM = "BOXES"


@dataclass(frozen=True)
class NatsVandal:
    """Loses messages as an operator would."""

    nats: Nats
    name: str

    async def remove(self, *sequences: int) -> None:
        """Delete messages."""
        for sequence in sequences:
            await self.nats.jetstream.delete_msg(self.name, sequence)

    async def purge(self, subject: str | None = None) -> None:
        """Delete all messages, or those of one subject."""
        await self.nats.jetstream.purge_stream(self.name, subject=subject)

    async def delete(self) -> None:
        """Delete the stream."""
        await delete_stream(self.nats, self.name)


def boxes_stream(nats: Nats, subjects: Sequence[str] = CATALOGUE.filters(), *, manage: bool = True) -> NatsStream:
    """The stream of the sample events."""
    return NatsStream(nats, StreamSettings(STREAM, subjects, manage=manage), Envelopes(CATALOGUE, "boxes"))


def rig_on(nats: Nats) -> StreamRig:
    """The stream of the sample events, from all sides."""
    return StreamRig(boxes_stream(nats), NatsSource(nats, STREAM), NatsVandal(nats, STREAM))


@pytest.fixture
async def nats(nats_url: str) -> AsyncIterator[Nats]:
    """A connection to the NATS of the test run."""
    async with connected(nats_url, "test") as connection:
        await eventually(lambda: connection.is_connected)
        yield connection


@pytest.fixture
def rig(nats: Nats) -> StreamRig:
    """The stream of the sample events, not made yet."""
    return rig_on(nats)


@pytest.fixture(scope="session")
def migrations() -> tuple[str, ...]:
    """The event store's and the readers' tables."""
    return ("cortex_eventing.adapters",)


@pytest.fixture
async def boxes_database(database: DatabaseAccess) -> DatabaseAccess:
    """A database with the tables of the sample read models."""
    await make_sample_tables(database)
    return database


@pytest.fixture
def log() -> EventLog:
    """The events of a service, none yet."""
    return EventLog()
