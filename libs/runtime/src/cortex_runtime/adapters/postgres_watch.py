"""Readiness's one condition on another server: PostgreSQL answers."""

import asyncio
from typing import NoReturn

from cortex_eventing.adapters.postgres.connections import connect_async
from psycopg import Error

from cortex_runtime.logs import log
from cortex_runtime.readiness import POSTGRES, Readiness

ASK_EVERY = 2.0  # seconds: load balancers ask no more often
ANSWER_WITHIN = 2.0  # seconds: a server that needs longer for nothing serves nobody


async def watch_postgres(dsn: str, readiness: Readiness, *, every: float = ASK_EVERY) -> NoReturn:
    """Say for ever whether PostgreSQL answers, over a connection of our own; its absence is a state, not an error.

    The time-out is the connection's own: a wait that is cancelled asks the silent server to stop, for ten seconds more.

    Args:
        dsn: of any role.
        readiness: whose condition `POSTGRES` is kept.
        every: seconds between two questions.
    """
    while True:
        try:
            connection = await connect_async(dsn, "cortex-readiness")
            connection.answer_within = ANSWER_WITHIN
            try:
                while True:
                    await connection.execute("SELECT 1")
                    _tell(readiness, answers=True)
                    await asyncio.sleep(every)
            finally:
                await connection.close()
        except Error:
            _tell(readiness, answers=False)
        await asyncio.sleep(every)


def _tell(readiness: Readiness, *, answers: bool) -> None:
    if readiness.holds(POSTGRES) != answers:
        log().warning("postgres_answers" if answers else "postgres_is_away")
    readiness.set(POSTGRES, answers)
