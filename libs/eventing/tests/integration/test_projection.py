from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from cortex_eventing import reading
from cortex_eventing.adapters.postgres.link import Link
from cortex_eventing.adapters.postgres.projection_store import PostgresProjectionStore
from cortex_eventing.checkpoints import Lane
from cortex_eventing.progress import Progress
from cortex_eventing.projection import ProjectionRunner, rebuild
from cortex_eventing.reading import Source
from cortex_eventing.relay import Relay
from cortex_runtime.database import DatabaseAccess
from cortex_testkit.contracts.stream_contract import StreamRig
from cortex_testkit.event_log import EventLog
from cortex_testkit.projecting import checkpoint_of, fill, head, role, rows_of
from cortex_testkit.sample_events import BoxFilled, BoxOpened
from cortex_testkit.sample_read_model import POISON, PROJECTION, TOO_MUCH
from cortex_testkit.waiting import eventually

pytestmark = pytest.mark.integration

PROJECT = "11111111-1111-4111-8111-111111111111"
Projecting = Callable[[], AbstractAsyncContextManager[Progress]]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers doubt a silence sooner than usual."""
    monkeypatch.setattr(reading, "SILENCE", 0.2)


@pytest.fixture
async def store(boxes_database: DatabaseAccess) -> AsyncIterator[PostgresProjectionStore]:
    """Where the read models stand."""
    link = Link(boxes_database.writer_dsn, "test")
    yield PostgresProjectionStore(link, PROJECTION)
    await link.close()


@pytest.fixture
def projecting(boxes_database: DatabaseAccess, log: EventLog, rig: StreamRig) -> Projecting:
    """Runs the projection as a replica would."""

    @asynccontextmanager
    async def run() -> AsyncIterator[Progress]:
        link = Link(boxes_database.writer_dsn, "test-projection")
        progress = Progress(PROJECTION.name)
        source = Source(rig.source, log, log.changes)
        runner = ProjectionRunner(PROJECTION, PostgresProjectionStore(link, PROJECTION), source, progress)
        async with role(runner.run):
            yield progress
        await link.close()

    return run


@pytest.fixture
async def relaying(log: EventLog, rig: StreamRig) -> AsyncIterator[None]:
    """A relay runs all the time."""
    async with role(Relay(log, rig.own).run):
        yield


async def folded(access: DatabaseAccess, log: EventLog, projecting: Projecting, store: PostgresProjectionStore) -> None:
    """Check that the tables equal a rebuild of themselves: the oracle of every test here."""
    live = await rows_of(access, "boxes"), await rows_of(access, "totals")
    await rebuild(store)
    async with projecting() as progress:
        await progress.reached(head(log))
    assert (await rows_of(access, "boxes"), await rows_of(access, "totals")) == live
    assert live[0]


@pytest.mark.usefixtures("relaying")
class WhenTheStreamFlows:
    async def test_rows_follow_the_events(
        self, boxes_database: DatabaseAccess, log: EventLog, projecting: Projecting
    ) -> None:
        """An event becomes a row, another changes it, and emptying removes it."""
        async with projecting() as progress:
            log.add(BoxOpened(box_id="a", label="blue"), BoxFilled(box_id="a", amount=3))
            log.add(BoxFilled(box_id="b", amount=101))
            await progress.reached(head(log))
            rows = await rows_of(boxes_database, "boxes")
            assert [row[1:6] for row in rows] == [("a", "blue", 3, "small", [3]), ("b", None, 101, "large", [101])]
            log.add(BoxFilled(box_id="a", amount=0))
            await progress.reached(head(log))
            assert [row[1] for row in await rows_of(boxes_database, "boxes")] == ["b"]

    async def test_live_rows_equal_rebuilt_rows(
        self, boxes_database: DatabaseAccess, log: EventLog, projecting: Projecting, store: PostgresProjectionStore
    ) -> None:
        """However the events were cut into pages, the same rows come out."""
        async with projecting() as progress:
            for chunk in range(8):
                fill(log, 300, seed=chunk)
                await progress.reached(head(log) - 200 * (chunk % 2))
            await progress.reached(head(log))
        await folded(boxes_database, log, projecting, store)

    async def test_a_far_reader_catches_up_from_the_store(
        self, boxes_database: DatabaseAccess, log: EventLog, projecting: Projecting
    ) -> None:
        """Behind by more than a catch-up is worth, and events come meanwhile: none is missed at the switch."""
        fill(log, 7_000)
        async with projecting() as progress:
            fill(log, 500, seed=2)
            await progress.reached(head(log))
            fill(log, 500, seed=3)
            await progress.reached(head(log))
        assert sum(row[1] for row in await rows_of(boxes_database, "totals")) == sum(
            event.topic.endswith("BoxFilled") for event in log.events
        )

    async def test_two_replicas_overlap(
        self, boxes_database: DatabaseAccess, log: EventLog, projecting: Projecting, store: PostgresProjectionStore
    ) -> None:
        """For up to four seconds two may believe they are elected: the checkpoint lets one of them write each page."""
        async with projecting() as one, projecting() as other:
            for chunk in range(10):
                fill(log, 100, seed=chunk)
                await one.reached(head(log) - 50)
            await one.reached(head(log))
            await other.reached(head(log))
        await folded(boxes_database, log, projecting, store)

    async def test_a_rebuild_starts_while_it_runs(
        self, boxes_database: DatabaseAccess, log: EventLog, projecting: Projecting, store: PostgresProjectionStore
    ) -> None:
        """The runner notices at its next page, starts over, and ends with the same rows."""
        async with projecting() as progress:
            fill(log, 400)
            await progress.reached(head(log))
            live = await rows_of(boxes_database, "boxes")
            await rebuild(store)
            assert await rows_of(boxes_database, "boxes") == []
            log.add(BoxFilled(box_id="last", amount=1))
            await eventually(lambda: _has_box(boxes_database, "last"))
            rebuilt = [row for row in await rows_of(boxes_database, "boxes") if row[1] != "last"]
            assert rebuilt == live

    async def test_messages_deleted_behind_the_reader_do_not_matter(
        self,
        boxes_database: DatabaseAccess,
        log: EventLog,
        rig: StreamRig,
        projecting: Projecting,
        store: PostgresProjectionStore,
    ) -> None:
        """A stream with holes is completed from the feed."""
        fill(log, 900)
        await eventually(lambda: _sequence(rig, 900))
        await rig.vandal.remove(*range(1, 900, 3))
        async with projecting() as progress:
            await progress.reached(head(log))
        await folded(boxes_database, log, projecting, store)

    async def test_the_stream_is_deleted_under_the_reader(
        self,
        boxes_database: DatabaseAccess,
        log: EventLog,
        rig: StreamRig,
        projecting: Projecting,
        store: PostgresProjectionStore,
    ) -> None:
        """It reads the feed, and the stream again once the relay has filled it."""
        async with projecting() as progress:
            fill(log, 200)
            await progress.reached(head(log))
            await rig.vandal.delete()
            fill(log, 200, seed=2)
            await progress.reached(head(log))
            await eventually(lambda: _sequence(rig, 400))
            fill(log, 10, seed=3)
            await progress.reached(head(log))
        await folded(boxes_database, log, projecting, store)


@pytest.mark.usefixtures("relaying")
class WhenAnEventIsPoison:
    @pytest.mark.parametrize("bad", [POISON, TOO_MUCH], ids=["the fold stumbles", "the table refuses"])
    async def test_its_lane_is_parked_and_the_others_go_on(
        self,
        boxes_database: DatabaseAccess,
        log: EventLog,
        projecting: Projecting,
        store: PostgresProjectionStore,
        bad: int,
    ) -> None:
        """Later events of the lane wait behind it, and everything is visible."""
        log.add(*(BoxFilled(box_id=box, amount=1) for box in "abc"))
        log.add(BoxFilled(box_id="b", amount=bad), BoxFilled(box_id="a", amount=1), BoxFilled(box_id="b", amount=1))
        async with projecting() as progress:
            await progress.reached(head(log))
            log.add(BoxFilled(box_id="b", amount=5), BoxFilled(box_id="c", amount=5))
            await progress.reached(head(log))
        amounts = {row[1]: row[3] for row in await rows_of(boxes_database, "boxes")}
        assert amounts == {"a": 2, "b": 1, "c": 6}
        parked = await store.parked(10)
        assert [event.lane for event in parked] == [Lane("box", "b")] * 3
        assert [event.position for event in parked] == [
            event.position for event in log.events if b"b" in event.data and event.position > 3
        ]
        assert "poison" not in parked[0].why

    async def test_it_is_replayed_when_asked_for(
        self,
        boxes_database: DatabaseAccess,
        log: EventLog,
        projecting: Projecting,
        store: PostgresProjectionStore,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Once the cause is mended, the lane's events are folded in order; a replay that fails again stays parked."""
        log.add(BoxFilled(box_id="b", amount=POISON), BoxFilled(box_id="b", amount=2), BoxFilled(box_id="a", amount=1))
        async with projecting() as progress:
            await progress.reached(head(log))
            await store.replay(Lane("box", "b"))
            await eventually(lambda: _nothing_wanted(store))
            assert len(await store.parked(10)) == 2
            monkeypatch.setattr("cortex_testkit.sample_read_model.POISON", -1)
            await store.replay(Lane("box", "b"))
            await eventually(lambda: _nothing_parked(store))
        assert {row[1]: row[3] for row in await rows_of(boxes_database, "boxes")} == {"a": 1, "b": POISON + 2}


class WhenTheBrokerIsAway:
    async def test_the_feed_is_read_until_it_is_back(
        self, boxes_database: DatabaseAccess, log: EventLog, rig: StreamRig, projecting: Projecting
    ) -> None:
        """No stream exists: own projections are as up to date as ever."""
        async with projecting() as progress:
            fill(log, 50)
            await progress.reached(head(log))
            async with role(Relay(log, rig.own).run):
                fill(log, 50, seed=2)
                await progress.reached(head(log))
                await eventually(lambda: _sequence(rig, 100))
        assert await checkpoint_of(boxes_database, PROJECTION.name) == head(log)

    async def test_a_stuck_relay_is_noticed(self, log: EventLog, rig: StreamRig, projecting: Projecting) -> None:
        """The stream is silent while the store moves: after a while the feed is asked."""
        await rig.own.create()
        async with projecting() as progress:
            await eventually(lambda: _has_consumer(rig))
            fill(log, 5)
            await progress.reached(head(log))


async def _has_box(access: DatabaseAccess, box: str) -> bool:
    return any(row[1] == box for row in await rows_of(access, "boxes"))


async def _sequence(rig: StreamRig, sequence: int) -> bool:
    end = await rig.own.end()
    return end is not None and end.last_sequence >= sequence


async def _nothing_wanted(store: PostgresProjectionStore) -> bool:
    return not await store.wanted_back()


async def _nothing_parked(store: PostgresProjectionStore) -> bool:
    return not await store.parked(1)


async def _has_consumer(rig: StreamRig) -> bool:
    nats = rig.own._nats
    return (await nats.jetstream.stream_info(rig.own.name)).state.consumer_count > 0
