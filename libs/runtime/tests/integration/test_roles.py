"""The three roles of a service's database."""

import secrets

import psycopg
import pytest
from cortex_runtime.adapters.embedded import PostgresServer
from cortex_runtime.adapters.migrations import migrate, role_of
from cortex_runtime.adapters.roles import create_service_database
from cortex_runtime.database import DatabaseAccess
from psycopg import AsyncConnection

pytestmark = pytest.mark.integration


async def rights(dsn: str) -> tuple[object, ...] | None:
    """What a role may do beyond its own database."""
    async with await AsyncConnection.connect(dsn) as connection:
        answer = await connection.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole, rolbypassrls, rolreplication"
            " FROM pg_roles WHERE rolname = current_user"
        )
        return await answer.fetchone()


async def test_no_role_has_rights_beyond_its_database(database: DatabaseAccess) -> None:
    """None is a superuser, and none passes row-level security by."""
    for dsn in (database.owner_dsn, database.writer_dsn, database.reader_dsn):
        assert await rights(dsn) == (False, False, False, False, False)


async def test_a_service_cannot_enter_another_services_database(own_postgres: PostgresServer) -> None:
    """Services share a server at most, never a table."""
    ours = await create_service_database(own_postgres.dsn, "identity")
    await create_service_database(own_postgres.dsn, "session")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        await AsyncConnection.connect(ours.writer_dsn, dbname="session")


async def test_asking_again_finds_the_same_database(own_postgres: PostgresServer) -> None:
    """The next run on a kept folder gets new passwords to the same roles and tables."""
    before = await create_service_database(own_postgres.dsn, "identity")
    assert len(await migrate(before)) == 1
    after = await create_service_database(own_postgres.dsn, "identity")
    assert await migrate(after) == []
    assert role_of(after.reader_dsn) == role_of(before.reader_dsn) == "identity_reader"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        await AsyncConnection.connect(before.reader_dsn)


def test_passwords_do_not_show() -> None:
    """A DatabaseAccess that ends up in a log shows no connection string."""
    password = secrets.token_hex(8)
    dsn = f"postgresql://owner:{password}@127.0.0.1/identity"
    assert password not in repr(DatabaseAccess(dsn, dsn, dsn))
