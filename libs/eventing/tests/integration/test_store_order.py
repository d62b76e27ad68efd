import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import LiteralString

import psycopg
import pytest
from cortex_eventing.adapters.postgres.event_store import PostgresEventStore
from cortex_eventing.command_handling import CommandHandling
from cortex_eventing.errors import ClaimTaken
from cortex_eventing.ports import Outcome
from cortex_eventing.recorded import Origin, RecordedBytes
from cortex_runtime.database import DatabaseAccess
from cortex_testkit.boxes import BOXES, OpenBox
from cortex_testkit.clock import FrozenClock
from cortex_testkit.contracts.appends import CATALOGUE, PROJECT, Box, request
from cortex_testkit.waiting import eventually

pytestmark = pytest.mark.integration

SECRET = b"a key for tests only"
WRITERS = 8
ROUNDS = 40
CALLERS = 4
PAGE = 37


@pytest.fixture
async def stores(database: DatabaseAccess) -> AsyncIterator[list[PostgresEventStore]]:
    """Eight replicas' stores over one database, each with its own commit thread."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(PostgresEventStore(database.writer_dsn, CATALOGUE, SECRET))
            for _ in range(WRITERS)
        ]


async def _write(store: PostgresEventStore, shared: Box) -> int:
    """Open and fill boxes, now and then on a version that others want too; says how many events were stored."""
    stored = 0
    for turn in range(ROUNDS):
        boxes = [Box.new() for _ in range(CALLERS)]
        appends = [box.append(0, box.opened(), box.filled(1)) for box in boxes]
        answers = await store.append([*appends, shared.append(turn, shared.filled(turn))])
        stored += sum(len(append.events) for append, answer in zip(appends, answers, strict=False) if answer.position)
        stored += answers[-1].outcome is Outcome.STORED
    return stored


async def _tail(store: PostgresEventStore, finished: asyncio.Event) -> list[RecordedBytes]:
    """Everything that a reader sees who goes on from the highest position, until the writers have finished."""
    seen: list[RecordedBytes] = []
    position = 0
    while True:
        last_round = finished.is_set()
        page = await store.read(position, PAGE)
        seen += page.events
        position = page.read_up_to
        if page.at_head and last_round:
            return seen


async def test_a_tailing_reader_misses_nothing(stores: list[PostgresEventStore]) -> None:
    """Eight writers at once, some of whose commands conflict: who reads on from the last position sees every event."""
    finished = asyncio.Event()
    tail = asyncio.create_task(_tail(stores[0], finished))
    shared = Box.new()
    stored = sum(await asyncio.gather(*(_write(store, shared) for store in stores)))
    finished.set()
    seen = await tail
    positions = [event.position for event in seen]
    assert len(seen) == stored
    assert positions == sorted(set(positions))
    assert [event.previous_position for event in seen] == [0, *positions[:-1]]
    assert stored >= WRITERS * ROUNDS * CALLERS * 2
    assert len({(event.aggregate_id, event.version) for event in seen}) == stored


async def test_ten_callers_create_one(stores: list[PostgresEventStore]) -> None:
    """Ten callers on eight replicas create a box for one shelf at once: one is created, and nine are told which."""
    handlings = [CommandHandling(BOXES, store, FrozenClock()) for store in stores]
    answers = await asyncio.gather(
        *(
            handlings[number % WRITERS].handle(OpenBox(uuid.uuid4(), shelf="a"), Origin(PROJECT))
            for number in range(10)
        ),
        return_exceptions=True,
    )
    refusals = [answer for answer in answers if isinstance(answer, ClaimTaken)]
    created = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert (len(created), len(refusals)) == (1, 9)
    assert {refusal.taken.owner for refusal in refusals} == {created[0].resource_id}
    assert await stores[0].head() == created[0].position


READ = """
    SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables) + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes)
"""


async def test_an_append_reads_as_little_when_the_store_has_grown(database: DatabaseAccess) -> None:
    """Over a connection that planned on empty tables, appends look up single rows, however many there are by then."""
    batches, size, singles = 10, 200, 50
    async with PostgresEventStore(database.writer_dsn, CATALOGUE, SECRET) as store:
        for _ in range(batches):
            boxes = [Box.new() for _ in range(size)]
            await store.append(
                [box.append(0, box.opened(), request=request(), take=[box.claim(str(box.id))]) for box in boxes]
            )
        for _ in range(singles):
            box = Box.new()
            await store.append([box.append(0, box.opened(), request=request(), take=[box.claim(str(box.id))])])
    async with await psycopg.AsyncConnection.connect(database.owner_dsn) as connection:
        # A backend writes its counts down when it ends, which may take a moment.
        await eventually(lambda: _count(connection, "SELECT sum(n_tup_ins) >= 6000 FROM pg_stat_user_tables"))
        read = await _count(connection, READ)
    assert read < 10 * (batches * size + singles), "a statement of cortex_append reads a whole table"


async def _count(connection: psycopg.AsyncConnection, query: LiteralString) -> int:
    await connection.rollback()
    row = await (await connection.execute(query)).fetchone()
    return int(row[0] or 0) if row else 0


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM stored_events",
        "UPDATE stored_events SET state = ''",
        "INSERT INTO stored_events (originator_id, originator_version) VALUES (gen_random_uuid(), 1)",
        "DELETE FROM claims",
        "UPDATE requests SET version = 0",
        "SELECT nextval('stored_events_notification_id_seq')",
    ],
)
async def test_the_writer_can_only_append(database: DatabaseAccess, statement: str) -> None:
    """The role that services use cannot change or remove what is stored, whatever a service's code tries."""
    async with await psycopg.AsyncConnection.connect(database.writer_dsn) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await connection.execute(statement)  # type: ignore[call-overload]


@pytest.mark.parametrize("table", ["stored_events", "claims", "requests"])
async def test_queries_see_nothing_of_the_store(database: DatabaseAccess, table: str) -> None:
    """The role that answers queries cannot read the store."""
    async with await psycopg.AsyncConnection.connect(database.reader_dsn) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await connection.execute(f"SELECT * FROM {table}")  # type: ignore[arg-type]
