"""Connections to PostgreSQL that never hang: a server that falls silent is given up after a bounded time."""

from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.conninfo import make_conninfo
from psycopg.errors import ReadOnlySqlTransaction

from cortex_eventing.adapters.postgres.arrays import register_arrays

CONNECT_WITHIN = 2
"""Seconds, the least that libpq takes. A server that is there answers in milliseconds."""

ANSWER_WITHIN = 5.0
"""Seconds until a server that does not answer a statement is taken as gone: longer than it may work on one."""

STATEMENT_WITHIN = "4s"
"""A batch takes milliseconds; on a stalled disk the server itself gives up before the client does."""

LOCK_WITHIN = "3s"
"""Other replicas hold the table for milliseconds; one that was stopped in the middle does not hang the others."""

_TCP = {
    "keepalives": 1,
    # Seconds of silence, seconds between probes, probes: a vanished host is noticed in about ten seconds when idle.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    # Milliseconds that sent data may stay unacknowledged.
    "tcp_user_timeout": int(ANSWER_WITHIN * 1000),
    "connect_timeout": CONNECT_WITHIN,
}

_SESSION = (
    f"SET statement_timeout = '{STATEMENT_WITHIN}'; SET lock_timeout = '{LOCK_WITHIN}';"
    # Each statement of cortex_append must see what was committed while it waited for the lock.
    " SET default_transaction_isolation = 'read committed'"
)

GONE = (psycopg.OperationalError, psycopg.InterfaceError, ReadOnlySqlTransaction)
"""What says that the server is away, and not that the statement is wrong. Read-only: it is a replica for the moment."""


class BoundedConnection(psycopg.Connection[tuple[Any, ...]]):
    """A connection for a thread. A statement that is not answered in time raises OperationalError."""

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Drive libpq until it is done, or the time is up."""
        return super().wait(gen, interval, ANSWER_WITHIN if timeout is None else timeout)


class BoundedAsyncConnection(psycopg.AsyncConnection[tuple[Any, ...]]):
    """A connection for the loop. A statement that is not answered in time raises OperationalError.

    Attributes:
        answer_within: seconds; a connection for an operator's work may be given more.
    """

    answer_within = ANSWER_WITHIN

    async def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:  # noqa: ASYNC109
        """Drive libpq until it is done, or the time is up."""
        return await super().wait(gen, interval, self.answer_within if timeout is None else timeout)


def connect(dsn: str, name: str) -> BoundedConnection:
    """A connection for a thread, in autocommit.

    Raises:
        psycopg.OperationalError: the server is away.
    """
    connection = BoundedConnection.connect(_conninfo(dsn, name), autocommit=True)
    try:
        register_arrays(connection)
        connection.execute(_SESSION)
    except BaseException:
        connection.close()
        raise
    return connection


async def connect_async(dsn: str, name: str) -> BoundedAsyncConnection:
    """A connection for the loop, in autocommit.

    Raises:
        psycopg.OperationalError: the server is away.
    """
    connection = await BoundedAsyncConnection.connect(_conninfo(dsn, name), autocommit=True)
    try:
        register_arrays(connection)
        await connection.execute(_SESSION)
    except BaseException:
        await connection.close()
        raise
    return connection


def _conninfo(dsn: str, name: str) -> str:
    return make_conninfo(dsn, application_name=name, **_TCP)
