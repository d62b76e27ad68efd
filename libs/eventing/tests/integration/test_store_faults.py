import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from cortex_eventing.adapters.postgres import connections
from cortex_eventing.adapters.postgres.batch_writer import AFTER_APPEND, BEFORE_APPEND
from cortex_eventing.adapters.postgres.event_store import PostgresEventStore
from cortex_eventing.command_handling import AFTER_DECIDE, CommandHandling
from cortex_eventing.errors import Unavailable
from cortex_eventing.failpoints import RAISE, FailpointReached, armed
from cortex_eventing.ports import Outcome, RequestKey
from cortex_eventing.recorded import Origin
from cortex_runtime.adapters.embedded import PostgresServer
from cortex_runtime.adapters.migrations import migrate
from cortex_runtime.adapters.roles import create_service_database
from cortex_runtime.database import DatabaseAccess
from cortex_testkit.boxes import BOXES, FillBox, OpenBox
from cortex_testkit.clock import FrozenClock
from cortex_testkit.contracts.appends import CATALOGUE, PROJECT, Box, request
from cortex_testkit.failpoints import held_at
from cortex_testkit.fault_relay import FaultRelay, fault_relay
from cortex_testkit.sample_events import BoxOpened
from cortex_testkit.waiting import eventually
from psycopg.conninfo import conninfo_to_dict, make_conninfo

pytestmark = pytest.mark.faults

SECRET = b"a key for tests only"
MINE = Origin(PROJECT)
CALLERS = 12
COMMANDS = 40
KILLS = 2


@asynccontextmanager
async def _store_on(dsn: str) -> AsyncIterator[PostgresEventStore]:
    async with PostgresEventStore(dsn, CATALOGUE, SECRET) as store:
        yield store


@pytest.fixture
async def link(database: DatabaseAccess) -> AsyncIterator[FaultRelay]:
    """What lies between the store and PostgreSQL."""
    parts = conninfo_to_dict(database.writer_dsn)
    async with fault_relay(str(parts["host"]), int(str(parts["port"]))) as relay:
        yield relay


@pytest.fixture
async def store(database: DatabaseAccess, link: FaultRelay) -> AsyncIterator[PostgresEventStore]:
    """A store that reaches PostgreSQL through the link."""
    async with _store_on(make_conninfo(database.writer_dsn, host="127.0.0.1", port=link.port)) as store:
        yield store


@pytest.fixture
async def direct(database: DatabaseAccess) -> AsyncIterator[PostgresEventStore]:
    """Another replica's store, whose link is sound."""
    async with _store_on(database.writer_dsn) as store:
        yield store


async def _is_there(store: PostgresEventStore, box: Box) -> bool:
    return (await store.history(box.id)).version > 0


class WhenTheLinkBreaks:
    async def test_a_lost_answer_is_found_out(
        self, store: PostgresEventStore, direct: PostgresEventStore, link: FaultRelay
    ) -> None:
        """The connection is cut after the server had the append: it is sent again, answered, and stored once."""
        warm, box = Box.new(), Box.new()
        await store.append([warm.append(0, warm.opened())])
        await link.eat()
        pending = store.commit(box.append(0, box.opened(), request=request()))
        await eventually(lambda: _is_there(direct, box))
        await link.heal()
        answer = await pending
        assert (answer.outcome, answer.version) == (Outcome.REPEATED, 1)
        assert (await direct.history(box.id)).version == 1
        assert await direct.head() == answer.position

    async def test_a_lost_answer_without_a_request_is_said_to_be_unknown(
        self, store: PostgresEventStore, direct: PostgresEventStore, link: FaultRelay
    ) -> None:
        """Without a request id nobody can tell own events from another's: the caller is told that, not a conflict."""
        warm, box = Box.new(), Box.new()
        await store.append([warm.append(0, warm.opened())])
        await link.eat()
        pending = store.commit(box.append(0, box.opened()))
        await eventually(lambda: _is_there(direct, box))
        await link.heal()
        with pytest.raises(Unavailable):
            await pending
        assert (await direct.history(box.id)).version == 1

    async def test_a_silent_server_holds_nobody_past_the_deadline(
        self, store: PostgresEventStore, link: FaultRelay
    ) -> None:
        """With the link dead and nobody told, a caller is answered at its deadline; once healed, all goes on."""
        boxes = CommandHandling(BOXES, store, FrozenClock())
        box, key = uuid.uuid4(), request()
        await boxes.handle(OpenBox(box), MINE)
        await link.silence()
        with pytest.raises(Unavailable):
            await boxes.handle(FillBox(box, 1), MINE, key, deadline=asyncio.get_running_loop().time() + 0.2)
        await link.heal()
        await boxes.handle(FillBox(box, 1), MINE, key)
        state, version = await boxes.load(box, PROJECT)
        assert (version, state and state.amount) == (2, 1)

    async def test_a_silent_server_is_given_up(
        self, store: PostgresEventStore, link: FaultRelay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Neither a read nor a commit waits for ever on a connection from which nothing comes."""
        box = Box.new()
        await store.append([box.append(0, box.opened())])
        await store.head()
        monkeypatch.setattr(connections, "ANSWER_WITHIN", 0.2)
        await link.silence()
        with pytest.raises(Unavailable):
            await store.head()
        pending = store.commit(box.append(1, box.filled(1)), asyncio.get_running_loop().time() + 0.2)
        with pytest.raises(Unavailable):
            await pending
        await link.heal()

    async def test_a_cut_link_is_opened_again(self, store: PostgresEventStore, link: FaultRelay) -> None:
        """Reading, committing and listening go on by themselves when the link is back."""
        box = Box.new()
        async with store.changes() as ticks:
            await store.append([box.append(0, box.opened())])
            await link.cut()
            with pytest.raises(Unavailable):
                await store.head()
            pending = store.commit(box.append(1, box.filled(1), request=request()))
            await link.heal()
            assert (await pending).version == 2
            assert (await store.history(box.id)).version == 2
            async with asyncio.timeout(20):
                await anext(ticks)


class WhenCodeStopsInTheMiddle:
    async def test_before_the_append_nothing_is_stored(self, direct: PostgresEventStore) -> None:
        """Whatever fails up to the append leaves nothing behind, and the next command goes its way."""
        boxes = CommandHandling(BOXES, direct, FrozenClock())
        box = uuid.uuid4()
        for place in (AFTER_DECIDE, BEFORE_APPEND):
            with armed(place, RAISE), pytest.raises(FailpointReached):
                await boxes.handle(OpenBox(box), MINE)
            assert (await direct.history(box)).version == 0
        assert (await boxes.handle(OpenBox(box), MINE)).version == 1

    async def test_after_the_append_it_is_stored_and_found(self, direct: PostgresEventStore) -> None:
        """What fails between commit and reply has stored the command, and a repeat finds it."""
        boxes = CommandHandling(BOXES, direct, FrozenClock())
        box, key = uuid.uuid4(), request()
        with armed(AFTER_APPEND, RAISE), pytest.raises(FailpointReached):
            await boxes.handle(OpenBox(box), MINE, key)
        assert (await direct.history(box)).version == 1
        again = await boxes.handle(OpenBox(uuid.uuid4()), MINE, key)
        assert (again.repeated, again.aggregate_id, again.version) == (True, box, 1)

    async def test_a_cancelled_caller_changes_nothing(self, direct: PostgresEventStore) -> None:
        """A caller that leaves while its command is on its way neither stops it nor lets the next one overtake it."""
        boxes = CommandHandling(BOXES, direct, FrozenClock())
        box = uuid.uuid4()
        await boxes.handle(OpenBox(box), MINE)
        with held_at(BEFORE_APPEND) as gate:
            first = asyncio.create_task(boxes.handle(FillBox(box, 4), MINE))
            await gate.reached()
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
            second = asyncio.create_task(boxes.handle(FillBox(box, 1), MINE))
        done = await second
        assert (done.version, done.state and done.state.amount) == (3, 5)


async def _open_one_after_the_other(boxes: CommandHandling, ledger: Counter[uuid.UUID]) -> None:  # type: ignore[type-arg]
    """A caller that asks again under the same request id until it is answered, and writes down what was answered."""
    for _ in range(COMMANDS):
        key = RequestKey("OpenBox", uuid.uuid4(), b".".ljust(32))
        while True:
            try:
                done = await boxes.handle(OpenBox(uuid.uuid4()), MINE, key, asyncio.get_running_loop().time() + 5)
            except Unavailable:
                continue
            ledger[done.aggregate_id] += 1
            break


async def test_postgres_killed_under_load(own_postgres: PostgresServer) -> None:
    """PostgreSQL is killed and restarted twice under load: what was answered is stored, once, and nothing else is."""
    access = await create_service_database(own_postgres.dsn, "boxes")
    await migrate(access, "cortex_eventing.adapters")
    ledger: Counter[uuid.UUID] = Counter()
    async with _store_on(access.writer_dsn) as one, _store_on(access.writer_dsn) as two, asyncio.timeout(90):
        replicas = [CommandHandling(BOXES, store, FrozenClock()) for store in (one, two)]
        async with asyncio.TaskGroup() as callers:
            for number in range(CALLERS):
                callers.create_task(_open_one_after_the_other(replicas[number % 2], ledger))
            for kill in range(1, KILLS + 1):
                share = kill * CALLERS * COMMANDS // (KILLS + 2)
                await eventually(lambda share=share: len(ledger) >= share)
                await own_postgres.kill()
                await own_postgres.restart()
        stored = (await one.read(0, 10_000)).events
    assert all(times == 1 for times in ledger.values())
    assert Counter(event.aggregate_id for event in stored) == ledger
    assert len(ledger) == CALLERS * COMMANDS
    assert {event.topic for event in stored} == {BoxOpened.DESCRIPTOR.full_name}
