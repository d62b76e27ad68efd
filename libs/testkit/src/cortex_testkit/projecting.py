"""Running projections and relays in a test, and looking at what they made."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from cortex_eventing.cancelling import cancel_until_ended
from cortex_eventing.role_state import Report, Reports
from cortex_eventing.roles import Role, running
from cortex_runtime.database import DatabaseAccess
from psycopg import AsyncConnection, sql

from cortex_testkit.event_log import EventLog, positions
from cortex_testkit.sample_events import BoxFilled, BoxOpened
from cortex_testkit.sample_read_model import EMPTYING

OPENED = 0.2
"""The share of events that open a box."""

PROJECTS = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")


def fill(log: EventLog, count: int, seed: int = 1) -> None:
    """Store so many random events of a few dozen boxes of two projects."""
    lot = random.Random(seed)  # noqa: S311 - repeats itself, which is the point
    for _ in range(count):
        box = f"box-{lot.randrange(40)}"
        project = lot.choice(PROJECTS)
        amount = lot.choice([EMPTYING, *range(1, 30)])
        event = (
            BoxOpened(box_id=box, label=f"label {amount}")
            if lot.random() < OPENED
            else BoxFilled(box_id=box, amount=amount)
        )
        log.add(event, project_id=project)


async def rows_of(access: DatabaseAccess, table: str) -> list[tuple[Any, ...]]:
    """All rows of a table, sorted."""
    async with await AsyncConnection.connect(access.writer_dsn) as connection:
        found = await connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))
        return sorted(await found.fetchall(), key=repr)


async def checkpoint_of(access: DatabaseAccess, reader: str) -> int:
    """The position of a reader's checkpoint, 0 when it has none."""
    async with await AsyncConnection.connect(access.writer_dsn) as connection:
        found = await connection.execute("SELECT position FROM cortex_checkpoints WHERE reader = %s", [reader])
        row = await found.fetchone()
        return int(row[0]) if row else 0


@asynccontextmanager
async def role(run: Callable[[Report], Awaitable[None]], name: str = "role") -> AsyncIterator[Report]:
    """Run a role as a service does; what it raises unexpectedly fails the test."""
    reports = Reports()
    async with running([Role(name, run)], reports):
        yield reports.of(name)


async def ended(task: "asyncio.Task[Any]") -> None:
    """End a task."""
    await cancel_until_ended(task)


def head(log: EventLog) -> int:
    """The last position of a log."""
    return positions(log.events)[-1] if log.events else 0
