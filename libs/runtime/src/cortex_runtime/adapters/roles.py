"""A database with its three roles, made on a server where we are the superuser: embedded mode and tests.

In production operators make them, and the settings carry the three connection strings.
"""

import secrets
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from psycopg import AsyncConnection, sql
from psycopg.conninfo import conninfo_to_dict

from cortex_runtime.database import DatabaseAccess

ROLES = ("owner", "writer", "reader")
# Random bytes of a password; nobody types it.
PASSWORD_BYTES = 24


async def create_service_database(superuser_dsn: str, name: str) -> DatabaseAccess:
    """Make the database `name` and its roles `<name>_owner`, `<name>_writer` and `<name>_reader`, where missing.

    The roles get new random passwords each time, so whoever starts the services last is the one who can connect.

    Args:
        superuser_dsn: may create databases and roles.
        name: of the database, lower case.

    Raises:
        psycopg.Error: the server is away, or refuses.
    """
    async with await AsyncConnection.connect(superuser_dsn, autocommit=True) as connection:
        passwords = {role: await _role(connection, f"{name}_{role}") for role in ROLES}
        if not await _exists(connection, "SELECT 1 FROM pg_database WHERE datname = %s", name):
            await connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(f"{name}_owner"))
            )
        await let_only_roles_connect(connection, name, name)
    return access_to(superuser_dsn, name, {f"{name}_{role}": password for role, password in passwords.items()})


async def let_only_roles_connect(connection: AsyncConnection, database: str, roles_of: str) -> None:
    """Close a database to everybody but the writer and the reader of `roles_of` (and its owner)."""
    await connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database)))
    await connection.execute(
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}, {}").format(
            sql.Identifier(database), sql.Identifier(f"{roles_of}_writer"), sql.Identifier(f"{roles_of}_reader")
        )
    )


def access_to(superuser_dsn: str, database: str, passwords: Mapping[str, str]) -> DatabaseAccess:
    """The connection strings of the three roles, in the order owner, writer, reader of `passwords`."""
    owner, writer, reader = (
        dsn_with(superuser_dsn, dbname=database, user=role, password=password) for role, password in passwords.items()
    )
    return DatabaseAccess(owner, writer, reader)


def dsn_with(dsn: str, **changes: str) -> str:
    """A connection string as a URL, as the settings want it, with other values for some of its parts."""
    parts = {name: str(value) for name, value in (conninfo_to_dict(dsn) | changes).items()}
    user, password = quote(parts.pop("user"), safe=""), quote(parts.pop("password", ""), safe="")
    database, host, port = quote(parts.pop("dbname"), safe=""), parts.pop("host", ""), parts.pop("port", "5432")
    return f"postgresql://{user}:{password}@{_netloc(host)}:{port}/{database}?{urlencode(parts)}"


def _netloc(host: str) -> str:
    """An address of IP version 6 stands in brackets, and the path of a socket is escaped."""
    return f"[{host}]" if ":" in host else quote(host, safe="")


async def _role(connection: AsyncConnection, name: str) -> str:
    """Make a role, or give it a new password; only the password's hash travels and could reach the server's log."""
    password = secrets.token_hex(PASSWORD_BYTES)
    verifier = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    exists = await _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", name)
    await connection.execute(
        sql.SQL("{} ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD {}").format(
            sql.SQL("ALTER" if exists else "CREATE"), sql.Identifier(name), sql.Literal(verifier)
        )
    )
    return password


async def _exists(connection: AsyncConnection, question: str, name: str) -> bool:
    answer = await connection.execute(question, [name])
    return await answer.fetchone() is not None
