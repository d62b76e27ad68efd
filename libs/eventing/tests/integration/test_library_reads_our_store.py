import asyncio
from collections.abc import Iterator

import psycopg
import pytest
from cortex.store.v1.stored_event_pb2 import StoredEvent
from cortex_eventing.adapters.postgres.event_store import PostgresEventStore
from cortex_runtime.database import DatabaseAccess
from cortex_testkit.contracts.appends import CATALOGUE, PROJECT, Box
from cortex_testkit.sample_events import BoxFilled
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.conninfo import conninfo_to_dict

pytestmark = pytest.mark.integration

SECRET = b"a key for tests only"
OURS, THEIRS = "stored_events", "library_events"


@pytest.fixture
def datastore(database: DatabaseAccess) -> Iterator[PostgresDatastore]:
    """The library's access to our database, as its owner."""
    parts = {key: str(value) for key, value in conninfo_to_dict(database.owner_dsn).items()}
    with PostgresDatastore(parts["dbname"], parts["host"], parts["port"], parts["user"], parts["password"]) as store:
        yield store


async def test_its_recorder_reads_what_we_stored(database: DatabaseAccess, datastore: PostgresDatastore) -> None:
    """The library's own recorder lists our events by position and by aggregate, with their states."""
    box, other = Box.new(), Box.new()
    async with PostgresEventStore(database.writer_dsn, CATALOGUE, SECRET) as store:
        await store.append([box.append(0, box.opened(), box.filled(1))])
        await store.append([box.append(0, box.opened())])
        await store.append([other.append(0, other.opened())])
        ours = (await store.read(0, 10)).events
    recorder = await asyncio.to_thread(PostgresApplicationRecorder, datastore, events_table_name=OURS)
    notifications = await asyncio.to_thread(recorder.select_notifications, 1, 10)
    assert [(each.id, each.originator_id, each.originator_version, each.topic) for each in notifications] == [
        (event.position, event.aggregate_id, event.version, event.topic) for event in ours
    ]
    assert await asyncio.to_thread(recorder.max_notification_id) == ours[-1].position
    events = await asyncio.to_thread(recorder.select_events, box.id)
    stored = StoredEvent.FromString(events[1].state)
    assert (stored.project_id, BoxFilled.FromString(stored.payload)) == (PROJECT, box.filled(1))


async def test_our_table_is_made_as_the_library_would(database: DatabaseAccess, datastore: PostgresDatastore) -> None:
    """Columns, types, defaults, primary key and index of our table are those that the library creates itself."""
    recorder = await asyncio.to_thread(PostgresApplicationRecorder, datastore, events_table_name=THEIRS)
    await asyncio.to_thread(recorder.create_table)
    async with await psycopg.AsyncConnection.connect(database.owner_dsn) as connection:
        assert await _shape(connection, OURS) == await _shape(connection, THEIRS)


async def _shape(connection: psycopg.AsyncConnection, table: str) -> tuple[list[object], list[object], object]:
    columns = await connection.execute(
        "SELECT column_name, ordinal_position, data_type, is_nullable, replace(column_default, %s, '')"
        " FROM information_schema.columns WHERE table_name = %s ORDER BY 2",
        [table, table],
    )
    indexes = await connection.execute(
        "SELECT replace(indexdef, %s, '') FROM pg_indexes WHERE tablename = %s ORDER BY 1", [table, table]
    )
    options = await connection.execute("SELECT reloptions FROM pg_class WHERE oid = %s::regclass", [table])
    return await columns.fetchall(), await indexes.fetchall(), await options.fetchone()
