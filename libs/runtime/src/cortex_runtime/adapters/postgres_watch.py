"""Readiness's one condition on another server: PostgreSQL answers."""

import asyncio
from typing import NoReturn

from psycopg import AsyncConnection, Error

from cortex_runtime.logs import log
from cortex_runtime.readiness import POSTGRES, Readiness

ASK_EVERY = 2.0  # seconds: load balancers ask no more often
ANSWER_WITHIN = 2.0  # seconds: a server that needs longer for nothing serves nobody


async def watch_postgres(dsn: str, readiness: Readiness, *, every: float = ASK_EVERY) -> NoReturn:
    """Say for ever whether PostgreSQL answers, over a connection of our own; its absence is a state, not an error.

    Args:
        dsn: of any role.
        readiness: whose condition `POSTGRES` is kept.
        every: seconds between two questions.
    """
    while True:
        try:
            async with await _connected(dsn) as connection:
                while True:
                    await _ask(connection)
                    _tell(readiness, answers=True)
                    await asyncio.sleep(every)
        except (Error, TimeoutError):
            _tell(readiness, answers=False)
        await asyncio.sleep(every)


async def _connected(dsn: str) -> AsyncConnection:
    async with asyncio.timeout(ANSWER_WITHIN):
        return await AsyncConnection.connect(dsn, autocommit=True)


async def _ask(connection: AsyncConnection) -> None:
    async with asyncio.timeout(ANSWER_WITHIN):
        await connection.execute("SELECT 1")


def _tell(readiness: Readiness, *, answers: bool) -> None:
    if readiness.holds(POSTGRES) != answers:
        log().warning("postgres_answers" if answers else "postgres_is_away")
    readiness.set(POSTGRES, answers)
