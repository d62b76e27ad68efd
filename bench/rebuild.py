"""`rebuild`: events a second when a read model is made anew, against the library's projection runner.

`rebuild` reads the service's own store. `rebuild-stream` is the same for another service's reader whose only way to the
events is JetStream: the feed of the first service does not answer.
"""

import time
from collections.abc import Sequence
from typing import Any

import psycopg
from cortex_eventing.adapters.postgres.link import linked
from cortex_eventing.adapters.postgres.projection_store import PostgresProjectionStore
from cortex_eventing.errors import Unavailable
from cortex_eventing.ports import EventFeed, Page
from cortex_eventing.progress import Progress
from cortex_eventing.projection import rebuild
from cortex_eventing.role_state import Reports
from cortex_eventing.roles import Role, running
from cortex_eventing.waking import Changes
from cortex_testkit.waiting import eventually
from harness import Bar, Pairs, check, in_turn, measure, progress
from line_process import LineProcess, line_process
from people import EVENTS_EACH, populate
from rig import PROJECTION, Rig, identity_rig

BAR = Bar(40)
BAR_OF_STREAM = Bar(10)
ROUNDS = 15
PEOPLE = 2_000
"""Twenty thousand events: a few tenths of a second for us."""

EVENTS_OF_FLOOR = 1_000
"""About a second for the library, so that its start weighs little."""

ROWS = "SELECT * FROM participants ORDER BY participant_id"


class SilentFeed:
    """The feed of a service that is away."""

    async def read(self, after: int, limit: int, project_id: str | None = None) -> Page:
        """See `EventFeed`."""
        raise Unavailable(f"the feed (asked for {limit} events of {project_id} after {after})")

    async def head(self) -> int:
        """See `EventFeed`."""
        raise Unavailable("the feed")


async def rebuilt(rig: Rig, live: Sequence[Any], head: int, feed: EventFeed, changes: Changes | None) -> float:
    """Events a second, from an empty table to the last row; the rows must be those that were folded live."""
    async with linked(rig.access.writer_dsn, "bench") as link:
        await rebuild(PostgresProjectionStore(link, PROJECTION))
        read_model = Progress(PROJECTION.name)
        runner = rig.projection(link, read_model, feed, changes)
        began = time.perf_counter()
        async with running([Role("projection", runner.run)], Reports()):
            await read_model.reached(head)
            seconds = time.perf_counter() - began
    check(await rows(rig) == live, "the rebuilt rows are not the live ones")
    return PEOPLE * EVENTS_EACH / seconds


async def rows(rig: Rig) -> Sequence[Any]:
    """The participants' table."""
    async with await psycopg.AsyncConnection.connect(rig.access.writer_dsn) as connection:
        return await (await connection.execute(ROWS)).fetchall()


async def relayed(rig: Rig, head: int) -> bool:
    """Whether the stream ends with the store's last event."""
    end = await rig.stream().end()
    return end is not None and end.position == head


async def lived(rig: Rig) -> tuple[int, Sequence[Any]]:
    """Store events while relay and projection run as in the service; the store's head, and the rows."""
    read_model = Progress(PROJECTION.name)
    async with linked(rig.access.writer_dsn, "bench") as link:
        runner = rig.projection(link, read_model, rig.store, rig.store.changes)
        roles = [Role("relay", rig.relay().run), Role("projection", runner.run)]
        async with running(roles, Reports()):
            await populate(rig.store, PEOPLE)
            head = await rig.store.head()
            await read_model.reached(head)
            await eventually(lambda: relayed(rig, head))
    return head, await rows(rig)


async def measured(rig: Rig, floor: LineProcess) -> None:
    """Measure both against the floor."""
    progress("rebuild: storing events, relayed and folded live")
    head, live = await lived(rig)
    check(len(live) == PEOPLE, "the live rows are not all there")
    of_store, of_stream, of_floor = await in_turn(
        [
            lambda: rebuilt(rig, live, head, rig.store, rig.store.changes),
            lambda: rebuilt(rig, live, head, SilentFeed(), None),
            lambda: floor.figure(EVENTS_OF_FLOOR),
        ],
        ROUNDS,
        "rebuild",
    )
    Pairs(of_stream, of_floor).report("rebuild-stream", "events a second through JetStream", BAR_OF_STREAM)
    Pairs(of_store, of_floor).report("rebuild", "events a second from the own store", BAR)


async def main() -> None:
    """Start what is needed, and measure."""
    async with (
        identity_rig() as rig,
        line_process("floors/library_projection", environment=await rig.floor_environment()) as floor,
    ):
        await measured(rig, floor)


if __name__ == "__main__":
    measure(main())
