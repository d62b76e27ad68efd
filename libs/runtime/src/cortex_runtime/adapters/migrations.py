"""Bring a service's database to the shape that its code expects: each shipped migration once, in order."""

from collections.abc import Sequence

import psycopg
import structlog
from psycopg import AsyncConnection, sql
from psycopg.conninfo import conninfo_to_dict

from cortex_runtime.adapters.shipped_migrations import Migration, MigrationError, shipped
from cortex_runtime.database import DatabaseAccess

# The guards of read models: every service has them, before its own tables.
FIRST = "cortex_runtime"
# Any number that no other advisory lock of a service's database has.
MIGRATING = 0x636F_7274_6578  # "cortex"
# Replicas that start together wait for the one that migrates. A table that stays in use longer needs an operator.
LOCK_WITHIN = "60s"

_log = structlog.get_logger(__name__)


async def migrate(access: DatabaseAccess, *packages: str) -> Sequence[Migration]:
    """Apply what is missing of the packages' migrations, as the owner, each in a transaction of its own.

    Replicas may start together: one works, the others wait and find nothing to do. A database that is newer than the
    code is left alone, so that a release can be taken back.

    Args:
        access: to the database; the roles must exist.
        packages: that ship a folder `migrations`, in the order in which they build on each other.

    Returns:
        The migrations that were applied now.

    Raises:
        MigrationError: see there; nothing of the refused migration stays, the ones before it do.
        psycopg.Error: the server is away, or refuses a statement.
    """
    wanted = [migration for package in (FIRST, *packages) for migration in shipped(package)]
    async with await AsyncConnection.connect(access.owner_dsn, autocommit=True) as connection:
        await connection.execute("SELECT set_config('lock_timeout', %s, false)", [LOCK_WITHIN])
        await connection.execute("SELECT pg_advisory_lock(%s)", [MIGRATING])
        await _prepare(connection, access)
        missing = _missing(wanted, await _applied(connection))
        for migration in missing:
            await _apply(connection, migration)
        return missing


def role_of(dsn: str) -> str:
    """The role that a connection string names.

    Raises:
        MigrationError: it names none.
    """
    role = conninfo_to_dict(dsn).get("user")
    if not role:
        raise MigrationError("the connection strings of owner, writer and reader must each name their user")
    return str(role)


async def _prepare(connection: AsyncConnection, access: DatabaseAccess) -> None:
    """The journal, the roles' names for the migrations, and what the writer may do with everything they make."""
    writer, reader = role_of(access.writer_dsn), role_of(access.reader_dsn)
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS cortex_migrations (package text, number int, name text NOT NULL,"
        " checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (package, number))"
    )
    await connection.execute("SELECT set_config('cortex.writer_role', %s, false)", [writer])
    await connection.execute("SELECT set_config('cortex.reader_role', %s, false)", [reader])
    for statement in (
        "ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {}",
        "ALTER DEFAULT PRIVILEGES GRANT USAGE, SELECT ON SEQUENCES TO {}",
        "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO {}",
    ):
        await connection.execute(sql.SQL(statement).format(sql.Identifier(writer)))
    await connection.execute("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC")


async def _applied(connection: AsyncConnection) -> dict[tuple[str, int], str]:
    rows = await connection.execute("SELECT package, number, checksum FROM cortex_migrations")
    return {(package, number): checksum for package, number, checksum in await rows.fetchall()}


def _missing(wanted: Sequence[Migration], applied: dict[tuple[str, int], str]) -> Sequence[Migration]:
    for migration in wanted:
        if applied.get((migration.package, migration.number), migration.checksum) != migration.checksum:
            raise MigrationError(f"{migration} was changed after it was applied: restore it, and add a new one")
    return [migration for migration in wanted if (migration.package, migration.number) not in applied]


async def _apply(connection: AsyncConnection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(migration.sql)
        await _refuse_unguarded(connection, migration)
        await connection.execute(
            "INSERT INTO cortex_migrations (package, number, name, checksum) VALUES (%s, %s, %s, %s)",
            [migration.package, migration.number, migration.name, migration.checksum],
        )
    _log.info("migration_applied", package=migration.package, migration=migration.name)


async def _refuse_unguarded(connection: AsyncConnection, migration: Migration) -> None:
    unguarded = await unguarded_tables(connection)
    if unguarded:
        raise MigrationError(
            f"{migration} leaves {', '.join(unguarded)} open to every project:"
            " call cortex_guard_read_model('<table>') for a read model, cortex_internal_table('<table>') for any other"
        )


async def unguarded_tables(connection: psycopg.AsyncConnection) -> Sequence[str]:
    """The tables and views that are neither guarded read models nor declared internal; none, in a migrated database."""
    rows = await connection.execute("SELECT cortex_unguarded_tables()")
    return [name for (name,) in await rows.fetchall()]
