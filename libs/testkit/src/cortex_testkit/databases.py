"""Migrated databases for tests, fast: each set of migrations runs once, into a template that is then copied."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cortex_runtime.adapters.migrations import migrate
from cortex_runtime.adapters.roles import ROLES, create_service_database, dsn_with, let_only_roles_connect
from cortex_runtime.database import DatabaseAccess
from psycopg import AsyncConnection, sql
from psycopg.conninfo import conninfo_to_dict


class TestDatabases:
    """Makes and drops databases on one server; every copy of a template has the template's roles."""

    __test__ = False  # not a test, whatever its name says

    def __init__(self, superuser_dsn: str) -> None:
        self._superuser_dsn = superuser_dsn
        self._templates: dict[tuple[str, ...], tuple[str, DatabaseAccess]] = {}

    @asynccontextmanager
    async def fresh(self, *packages: str) -> AsyncIterator[DatabaseAccess]:
        """A database with the packages' migrations applied, for as long as the context lasts.

        Args:
            packages: as for `migrate`, for instance `("cortex_eventing.adapters", "cortex_session")`.
        """
        template, access = await self._template(packages)
        name = _unique("test")
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
            sql.Identifier(name), sql.Identifier(template), sql.Identifier(f"{template}_owner")
        )
        async with self._superuser() as connection:
            await connection.execute(copy)
            await let_only_roles_connect(connection, name, template)
        try:
            yield DatabaseAccess(*(dsn_with(dsn, dbname=name) for dsn in _dsns(access)))
        finally:
            await self._drop(name)

    async def drop_templates(self) -> None:
        """Drop the templates and their roles."""
        for name, _ in self._templates.values():
            await self._drop(name)
            async with self._superuser() as connection:
                for role in ROLES:
                    await connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(f"{name}_{role}")))
        self._templates.clear()

    async def _template(self, packages: tuple[str, ...]) -> tuple[str, DatabaseAccess]:
        if packages not in self._templates:
            name = _unique("template")
            access = await create_service_database(self._superuser_dsn, name)
            self._templates[packages] = name, access
            await migrate(access, *packages)
        return self._templates[packages]

    async def _drop(self, name: str) -> None:
        async with self._superuser() as connection:
            await connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    @asynccontextmanager
    async def _superuser(self) -> AsyncIterator[AsyncConnection]:
        async with await AsyncConnection.connect(self._superuser_dsn, autocommit=True) as connection:
            yield connection


def database_name(dsn: str) -> str:
    """The database that a connection string leads to."""
    return str(conninfo_to_dict(dsn)["dbname"])


def _unique(kind: str) -> str:
    return f"cortex_{kind}_{secrets.token_hex(6)}"


def _dsns(access: DatabaseAccess) -> tuple[str, str, str]:
    return access.owner_dsn, access.writer_dsn, access.reader_dsn
