"""Migrations: each once, in order, whole or not at all, and no table open to every project."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from cortex_runtime.adapters.migrations import migrate, unguarded_tables
from cortex_runtime.adapters.shipped_migrations import MigrationError
from cortex_runtime.database import DatabaseAccess
from psycopg import AsyncConnection

pytestmark = pytest.mark.integration

SESSIONS = "CREATE TABLE sessions (project_id uuid, name text); SELECT cortex_guard_read_model('sessions');"
SECRETS = "CREATE TABLE secrets (value text); SELECT cortex_internal_table('secrets');"

Ship = Callable[..., str]


@pytest.fixture
def ship(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Ship:
    """`ship(first="SQL", second="SQL")` makes an importable package with these migrations; again, it changes them."""
    package = f"shipping_{request.node.name.split('[')[0]}"
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, package, raising=False)

    def ship(**migrations: str) -> str:
        folder = tmp_path / package / "migrations"
        folder.mkdir(parents=True, exist_ok=True)
        (tmp_path / package / "__init__.py").touch()
        for number, (name, text) in enumerate(migrations.items(), 1):
            (folder / f"{number:04}_{name}.sql").write_text(text)
        return package

    return ship


async def rows(dsn: str, question: str, project: str | None = None) -> list[tuple[object, ...]]:
    """What a role sees, in a transaction that may name a project."""
    async with await AsyncConnection.connect(dsn) as connection:
        if project is not None:
            await connection.execute("SELECT set_config('cortex.project', %s, true)", [project])
        answer = await connection.execute(question)
        return await answer.fetchall() if answer.description else []


class WhenMigrating:
    async def test_applies_what_is_missing_in_order(self, database: DatabaseAccess, ship: Ship) -> None:
        """A second release applies only its own step, on top of the first one's."""
        first = await migrate(database, ship(sessions=SESSIONS))
        second = await migrate(database, ship(sessions=SESSIONS, age="ALTER TABLE sessions ADD age int;"))
        third = await migrate(database, ship(sessions=SESSIONS, age="ALTER TABLE sessions ADD age int;"))
        assert [[step.number for step in applied] for applied in (first, second, third)] == [[1], [2], []]
        assert await rows(database.writer_dsn, "SELECT age FROM sessions") == []

    async def test_replicas_may_start_together(self, database: DatabaseAccess, ship: Ship) -> None:
        """One applies, the others wait and find nothing to do."""
        package = ship(sessions=SESSIONS)
        applied = await asyncio.gather(*(migrate(database, package) for _ in range(5)))
        assert sorted(len(steps) for steps in applied) == [0, 0, 0, 0, 1]

    async def test_refuses_a_changed_migration(self, database: DatabaseAccess, ship: Ship) -> None:
        """What was applied is history: two databases of one release must not differ."""
        await migrate(database, ship(sessions=SESSIONS))
        with pytest.raises(MigrationError, match=r"0001_sessions\.sql was changed after it was applied"):
            await migrate(database, ship(sessions=SESSIONS + "-- changed"))

    async def test_leaves_nothing_of_a_failed_migration(self, database: DatabaseAccess, ship: Ship) -> None:
        """The step before it stays, and once it is mended it is applied."""
        with pytest.raises(psycopg.errors.UndefinedTable):
            await migrate(database, ship(sessions=SESSIONS, more=SECRETS + "DROP TABLE nowhere;"))
        applied = await migrate(database, ship(sessions=SESSIONS, more=SECRETS))
        assert [step.number for step in applied] == [2]

    async def test_leaves_a_newer_database_alone(self, database: DatabaseAccess, ship: Ship, tmp_path: Path) -> None:
        """A release can be taken back without taking its schema back."""
        package = ship(sessions=SESSIONS, secrets=SECRETS)
        await migrate(database, package)
        (tmp_path / package / "migrations" / "0002_secrets.sql").unlink()
        assert await migrate(database, package) == []

    @pytest.mark.parametrize(
        "table",
        [
            "CREATE TABLE open (project_id uuid);",
            "CREATE TABLE open (project_id uuid); ALTER TABLE open ENABLE ROW LEVEL SECURITY;",
            SESSIONS + "CREATE VIEW open AS SELECT * FROM sessions;",
            SESSIONS + "CREATE MATERIALIZED VIEW open AS SELECT * FROM sessions;",
        ],
    )
    async def test_refuses_an_unguarded_table(self, database: DatabaseAccess, ship: Ship, table: str) -> None:
        """Whoever forgets the guard hears of it at once, and the table does not come to be."""
        with pytest.raises(MigrationError, match="leaves open open to every project: call cortex_guard_read_model"):
            await migrate(database, ship(forgotten=table))
        assert await rows(database.owner_dsn, "SELECT to_regclass('open')") == [(None,)]

    async def test_refuses_a_read_model_without_project(self, database: DatabaseAccess, ship: Ship) -> None:
        """Rows that belong to no project cannot be guarded."""
        with pytest.raises(psycopg.errors.RaiseException, match="read model rooms has no column project_id"):
            await migrate(database, ship(rooms="CREATE TABLE rooms (); SELECT cortex_guard_read_model('rooms');"))

    async def test_finds_a_table_that_was_opened_by_hand(self, database: DatabaseAccess, ship: Ship) -> None:
        """The check also answers later, for a table that somebody changed in the running database."""
        await migrate(database, ship(sessions=SESSIONS))
        await rows(database.owner_dsn, "ALTER TABLE sessions DISABLE ROW LEVEL SECURITY")
        async with await AsyncConnection.connect(database.owner_dsn) as connection:
            assert await unguarded_tables(connection) == ["sessions"]

    async def test_needs_the_roles_names(self, database: DatabaseAccess) -> None:
        """Policies name roles: a connection string that leaves its user to the environment is refused."""
        with pytest.raises(MigrationError, match="must each name their user"):
            await migrate(DatabaseAccess(database.owner_dsn, "host=127.0.0.1", database.reader_dsn))


class WhenGuarded:
    HERE, ELSEWHERE = "0b6f3a3e-0000-7000-8000-000000000001", "0b6f3a3e-0000-7000-8000-000000000002"

    @pytest.fixture
    async def guarded(self, database: DatabaseAccess, ship: Ship) -> DatabaseAccess:
        await migrate(database, ship(sessions=SESSIONS, secrets=SECRETS))
        insert = f"INSERT INTO sessions VALUES ('{self.HERE}', 'here'), ('{self.ELSEWHERE}', 'elsewhere')"
        await rows(database.writer_dsn, insert)
        return database

    async def test_a_reader_sees_its_transactions_project(self, guarded: DatabaseAccess) -> None:
        """The query names no project, and gets one project's rows all the same."""
        assert await rows(guarded.reader_dsn, "SELECT name FROM sessions", self.HERE) == [("here",)]

    async def test_a_reader_without_project_sees_nothing(self, guarded: DatabaseAccess) -> None:
        """Forgetting to name the project shows too little, never too much."""
        assert await rows(guarded.reader_dsn, "SELECT name FROM sessions") == []

    async def test_a_reader_keeps_no_project_for_the_next_transaction(self, guarded: DatabaseAccess) -> None:
        """A pooled connection shows the next caller nothing of the last one's project."""
        async with await AsyncConnection.connect(guarded.reader_dsn) as connection:
            for project, seen in ((self.HERE, [("here",)]), (None, [])):
                async with connection.transaction():
                    if project:
                        await connection.execute("SELECT set_config('cortex.project', %s, true)", [project])
                    answer = await connection.execute("SELECT name FROM sessions")
                    assert await answer.fetchall() == seen

    async def test_a_writer_sees_every_project(self, guarded: DatabaseAccess) -> None:
        """Projections fold the events of all projects."""
        assert len(await rows(guarded.writer_dsn, "SELECT name FROM sessions")) == 2

    async def test_a_writer_may_empty_a_read_model(self, guarded: DatabaseAccess) -> None:
        """A rebuild starts from nothing."""
        await rows(guarded.writer_dsn, "TRUNCATE sessions")
        assert await rows(guarded.writer_dsn, "SELECT name FROM sessions") == []

    @pytest.mark.parametrize(
        "forbidden",
        [
            "SELECT * FROM secrets",
            "INSERT INTO sessions VALUES (NULL, 'x')",
            "DELETE FROM sessions",
            "TRUNCATE sessions",
        ],
    )
    async def test_a_reader_does_nothing_else(self, guarded: DatabaseAccess, forbidden: str) -> None:
        """Internal tables are closed to it, and it writes nowhere."""
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await rows(guarded.reader_dsn, forbidden, self.HERE)

    @pytest.mark.parametrize("role", ["writer_dsn", "reader_dsn"])
    async def test_only_the_owner_makes_tables(self, guarded: DatabaseAccess, role: str) -> None:
        """A service that was broken into cannot change the schema, nor switch the guard off."""
        for forbidden in ("CREATE TABLE mine ()", "ALTER TABLE sessions DISABLE ROW LEVEL SECURITY"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await rows(getattr(guarded, role), forbidden)
