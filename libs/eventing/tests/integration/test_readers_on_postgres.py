"""Checkpoints, elections, views and columns on a real PostgreSQL."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cortex_eventing.adapters.postgres.checkpoint_store import PostgresCheckpointStore
from cortex_eventing.adapters.postgres.columns import columns_of
from cortex_eventing.adapters.postgres.election import PostgresElection
from cortex_eventing.adapters.postgres.link import Link
from cortex_eventing.adapters.postgres.progress import PostgresProgress
from cortex_eventing.adapters.postgres.projection_store import PostgresProjectionStore
from cortex_eventing.adapters.postgres.views import Views
from cortex_eventing.checkpoints import Step
from cortex_eventing.errors import Unavailable
from cortex_eventing.progress import ProgressBoard
from cortex_eventing.projection import rebuild
from cortex_eventing.projection_ports import TableChange, Unstorable
from cortex_eventing.read_model import BrokenReadModel
from cortex_eventing.role_state import Reports
from cortex_eventing.roles import Role, running
from cortex_runtime.database import DatabaseAccess
from cortex_testkit.contracts.checkpoint_contract import CheckpointContract
from cortex_testkit.projecting import role
from cortex_testkit.sample_read_model import BOXES, PROJECTION, BoxRow, Size
from cortex_testkit.waiting import DEADLINE, eventually
from psycopg import AsyncConnection

pytestmark = pytest.mark.integration

MINE, THEIRS = (uuid.UUID(int=number) for number in (1, 2))
NOW = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)


@pytest.fixture
async def link(boxes_database: DatabaseAccess) -> AsyncIterator[Link]:
    """A connection as the service's writer."""
    link = Link(boxes_database.writer_dsn, "test")
    yield link
    await link.close()


@pytest.fixture
def store(link: Link) -> PostgresProjectionStore:
    """The sample projection's tables."""
    return PostgresProjectionStore(link, PROJECTION)


def box(name: str, project: uuid.UUID = MINE, **changes: object) -> BoxRow:
    """A row."""
    values: dict[str, object] = {"label": None, "amount": 1, "size": Size.SMALL, "amounts": (1, 2), "changed_at": NOW}
    return BoxRow(**{"project_id": project, "box_id": name, "position": 3, **values, **changes})  # type: ignore[arg-type]


async def write(store: PostgresProjectionStore, *rows: BoxRow, delete: tuple[str, ...] = ()) -> bool:
    """Write rows as the next step of the projection."""
    at = await store.load()
    change = TableChange(BOXES, rows, [(name, MINE) for name in delete])
    return await store.write(Step(at, type(at)(at.position + 1)), [change])


class TestPostgresCheckpoints(CheckpointContract):
    @pytest.fixture
    def checkpoints(self, link: Link) -> PostgresCheckpointStore:
        """A new reader's."""
        return PostgresCheckpointStore(link, "reader")


class WhenRowsAreWritten:
    async def test_they_come_back_as_they_were(self, store: PostgresProjectionStore) -> None:
        """Every kind of column survives, and so does None."""
        rows = [box("a"), box("b", label="ü", amount=-5, size=Size.LARGE, amounts=())]
        assert await write(store, *rows)
        assert await store.rows(BOXES, [("a", MINE), ("b", MINE), ("c", MINE)]) == {
            ("a", MINE): rows[0],
            ("b", MINE): rows[1],
        }

    async def test_a_row_is_replaced_and_another_removed(self, store: PostgresProjectionStore) -> None:
        """In the same statement, by key."""
        await write(store, box("a"), box("b"))
        await write(store, box("a", amount=9), delete=("b",))
        assert await store.rows(BOXES, [("a", MINE), ("b", MINE)]) == {("a", MINE): box("a", amount=9)}

    async def test_an_overtaken_reader_writes_no_row(self, store: PostgresProjectionStore) -> None:
        """The statement does nothing when the checkpoint has moved."""
        start = await store.load()
        await write(store, box("a"))
        step = Step(start, type(start)(9))
        assert not await store.write(step, [TableChange(BOXES, [box("a", amount=9)], [])])
        assert not await store.write(step, [TableChange(BOXES, [], [("a", MINE)])])
        assert (await store.rows(BOXES, [("a", MINE)]))["a", MINE].amount == 1

    @pytest.mark.parametrize("bad", [{"amount": 2**63}, {"label": "nul \x00"}, {"changed_at": None}])
    async def test_what_the_table_refuses_changes_nothing(
        self, store: PostgresProjectionStore, bad: dict[str, object]
    ) -> None:
        """Not even the checkpoint; the reader then finds the event at fault."""
        before = await store.load()
        with pytest.raises(Unstorable):
            await write(store, box("a"), box("b", **bad))
        assert await store.load() == before
        assert await store.rows(BOXES, [("a", MINE)]) == {}


class WhenAQueryAsks:
    async def test_it_sees_its_project_alone(
        self, boxes_database: DatabaseAccess, store: PostgresProjectionStore
    ) -> None:
        """Also when the query names no project: row-level security is the second wall."""
        await write(store, box("a"), box("b", THEIRS))
        async with Views(boxes_database.reader_dsn) as views:
            for project, expected in ((MINE, ["a"]), (THEIRS, ["b"]), (uuid.UUID(int=3), [])):
                async with views.project(str(project)) as connection:
                    found = await (await connection.execute("SELECT box_id FROM boxes")).fetchall()
                assert [name for (name,) in found] == expected

    async def test_many_ask_at_once(self, boxes_database: DatabaseAccess, store: PostgresProjectionStore) -> None:
        """More than there are connections wait their turn."""
        await write(store, box("a"))
        async with Views(boxes_database.reader_dsn, connections=2) as views:

            async def ask() -> int:
                async with views.project(str(MINE)) as connection:
                    return len(await (await connection.execute("SELECT 1 FROM boxes")).fetchall())

            assert await asyncio.gather(*(ask() for _ in range(50))) == [1] * 50

    async def test_the_database_is_away(self) -> None:
        """The caller hears that it should ask again, and views can be made all the same."""
        async with Views("postgresql://nobody@127.0.0.1:1/nothing") as views:
            with pytest.raises(Unavailable):
                async with views.project(str(MINE)):
                    pass


class WhenReadersRunElsewhere:
    """This replica learns from the database how far they are."""

    async def test_their_steps_are_heard(self, boxes_database: DatabaseAccess, store: PostgresProjectionStore) -> None:
        """A wait ends when another replica's reader gets there."""
        board = ProgressBoard()
        async with role(PostgresProgress(boxes_database.writer_dsn, board).run):
            await write(store, box("a"))
            await write(store, box("b"))
            await board.of(PROJECTION.name).reached(2, deadline())

    async def test_missed_words_are_made_up_for(
        self, boxes_database: DatabaseAccess, store: PostgresProjectionStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With not one NOTIFY heard: of a step, of a rebuild, and of a rebuild that is past where it began."""
        monkeypatch.setattr(PostgresProgress, "_hear", lambda *_: None)
        board = ProgressBoard()
        progress = board.of(PROJECTION.name)
        async with role(PostgresProgress(boxes_database.writer_dsn, board).run):
            for name in "abc":
                await write(store, box(name))
            await progress.reached(3, deadline())
            await rebuild(store)
            await eventually(lambda: progress.position == 0)
            for name in "abc":
                await write(store, box(name))
            await progress.reached(3, deadline())
            watching = progress.watch()
            await anext(watching)
            await rebuild(store)
            for name in "abcd":
                await write(store, box(name))
            while await asyncio.wait_for(anext(watching), DEADLINE) < 4:
                pass
            await watching.aclose()

    async def test_a_rebuild_during_an_outage_is_noticed(
        self, boxes_database: DatabaseAccess, store: PostgresProjectionStore
    ) -> None:
        """What was known before the connection broke is not believed after it."""
        board, reports = ProgressBoard(), Reports()
        listener, progress = PostgresProgress(boxes_database.writer_dsn, board), board.of(PROJECTION.name)
        await write(store, box("a"))
        await write(store, box("b"))
        async with running([Role("progress", listener.run)], reports):
            await progress.reached(2, deadline())
        await rebuild(store)
        await write(store, box("a"))
        async with running([Role("progress", listener.run)], reports):
            await eventually(lambda: progress.position == 1)


class WhenReplicasStandForElection:
    async def test_one_leads_and_the_next_follows(self, boxes_database: DatabaseAccess) -> None:
        """Another seat is another matter."""
        leading: list[str] = []

        async def lead(name: str) -> None:
            leading.append(name)
            await asyncio.Event().wait()

        def stand(name: str, seat: str) -> "asyncio.Task[None]":
            return asyncio.create_task(PostgresElection(boxes_database.writer_dsn, seat).lead(lambda: lead(name)))

        first = stand("first", "boxes")
        await eventually(lambda: leading == ["first"])
        second, elsewhere = stand("second", "boxes"), stand("elsewhere", "other")
        await eventually(lambda: leading == ["first", "elsewhere"])
        first.cancel()
        await eventually(lambda: leading == ["first", "elsewhere", "second"])
        for task in (second, elsewhere):
            task.cancel()
        await asyncio.wait([first, second, elsewhere])

    async def test_the_leader_steps_down_when_its_connection_dies(self, boxes_database: DatabaseAccess) -> None:
        """The seat hangs on the connection: what it ran is ended before it stands again."""
        running = asyncio.Event()

        async def work() -> None:
            running.set()
            try:
                await asyncio.Event().wait()
            finally:
                running.clear()

        leading = asyncio.create_task(PostgresElection(boxes_database.writer_dsn, "boxes").lead(work))
        await running.wait()
        await _end_sessions(boxes_database, "cortex-seat-boxes")
        await leading
        assert not running.is_set()

    async def test_what_the_work_raises_comes_out(self, boxes_database: DatabaseAccess) -> None:
        """An unexpected error is not taken for a lost seat."""

        async def fail() -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await PostgresElection(boxes_database.writer_dsn, "boxes").lead(fail)


class WhenARowIsDeclared:
    def test_a_type_without_a_column_is_refused(self) -> None:
        """At the start of the service, not at the first event."""

        @dataclass(frozen=True)
        class Odd:
            project_id: uuid.UUID
            odd: complex

        with pytest.raises(BrokenReadModel, match="odd"):
            columns_of(Odd)

    def test_types_have_their_columns(self) -> None:
        """A migration is written after this table."""

        @dataclass(frozen=True)
        class Wide:
            one: str | None
            two: timedelta
            three: bytes
            four: dict[str, object]
            five: float
            six: bool

        assert [column.sql_type for column in columns_of(Wide)] == [
            *("text", "interval", "bytea", "jsonb", "double precision", "boolean")
        ]


def deadline() -> float:
    """When a wait has failed, by the loop's clock."""
    return asyncio.get_running_loop().time() + DEADLINE


async def _end_sessions(access: DatabaseAccess, name: str) -> None:
    async with await AsyncConnection.connect(access.writer_dsn) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", [name]
        )
