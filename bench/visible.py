"""`visible`: from a commit to the row in the read model, at 100 commands a second, against the barest loop there is.

Ours is command, store, relay, JetStream, projection and row, all in one process, as in a service. Only one of the
contenders runs at a time.
"""

import asyncio
import statistics
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from cortex_eventing.adapters.postgres.link import linked
from cortex_eventing.command_handling import CommandHandling
from cortex_eventing.ports import RequestKey
from cortex_eventing.progress import Progress
from cortex_eventing.recorded import Origin
from cortex_eventing.role_state import Reports
from cortex_eventing.roles import Role, running
from cortex_identity.domain.commands import ParticipantCommand, UpdateParticipant
from cortex_identity.domain.decisions import PARTICIPANTS
from cortex_identity.domain.ids import ParticipantId
from cortex_identity.domain.participant import Participant, ParticipantEvent
from cortex_identity.domain.profile import Profile
from cortex_runtime.clock import SystemClock
from floors.bare_visible import BareLoop
from harness import Bar, Pairs, check, in_turn, measure, percentile, progress
from people import PROJECT, populate
from rig import PROJECTION, Rig, identity_rig

BAR = Bar(1.5, at_most=True)
ROUNDS = 15
PEOPLE = 200
COMMANDS = 200
"""Two seconds of them: the p95 then stands on ten values, and the median of the rounds on fifteen times as many."""

WARM_UP = 20
EVERY = 0.01
"""Seconds between two commands: a hundred a second, whether or not the ones before are visible."""

LATE = 0.25
"""A command that starts so many seconds after its time voids the block: the machine did not keep up with the load."""

ALL_VISIBLE_WITHIN = 20.0

Command = Callable[[int], Coroutine[Any, Any, float]]
Handling = CommandHandling[ParticipantCommand, Participant, ParticipantEvent]


class Ours:
    """Commands on the service's own parts."""

    def __init__(self, handling: Handling, read_model: Progress, people: Sequence[uuid.UUID]) -> None:
        self._handling = handling
        self._read_model = read_model
        self._people = people

    async def command(self, number: int) -> float:
        """Change somebody's name; the seconds from the commit until the row shows it."""
        done = await self._handling.handle(
            UpdateParticipant(
                ParticipantId(self._people[number % len(self._people)]),
                Profile(display_name=uuid.uuid4().hex),
                ("display_name",),
                None,
                datetime.now(UTC),
            ),
            Origin(PROJECT, actor="bench"),
            RequestKey("UpdateParticipant", uuid.uuid4(), b"hash"),
        )
        committed = time.perf_counter()
        check(bool(done.events), "a command changed nothing")
        await self._read_model.reached(done.position)
        return time.perf_counter() - committed


@asynccontextmanager
async def ours(rig: Rig, people: Sequence[uuid.UUID]) -> AsyncIterator[Command]:
    """Relay and projection at work."""
    read_model = Progress(PROJECTION.name)
    handling: Handling = CommandHandling(PARTICIPANTS, rig.store, SystemClock())
    async with linked(rig.access.writer_dsn, "bench") as link:
        runner = rig.projection(link, read_model, rig.store, rig.store.changes)
        roles = [Role("relay", rig.relay().run), Role("projection", runner.run)]
        async with running(roles, Reports()):
            await read_model.reached(await rig.store.head())
            yield Ours(handling, read_model, people).command


@asynccontextmanager
async def bare(dsn: str, url: str, *, jetstream: bool) -> AsyncIterator[Command]:
    """The floor, with a body as large as one of our events."""
    body = bytes(200)
    async with BareLoop(dsn, url, jetstream=jetstream) as loop:
        yield lambda _: loop.command(body)


async def p95(command: Command) -> float:
    """The p95 of the delays, in milliseconds, under an open load that does not wait for anybody."""
    for number in range(WARM_UP):
        await command(number)
    begin = time.perf_counter()
    running_commands: list[asyncio.Task[float]] = []
    for number in range(COMMANDS):
        due = begin + number * EVERY
        await asyncio.sleep(due - time.perf_counter())
        check(time.perf_counter() - due < LATE, "the load came too late; is the machine busy with something else?")
        running_commands.append(asyncio.create_task(command(number)))
    async with asyncio.timeout(ALL_VISIBLE_WITHIN):
        delays = await asyncio.gather(*running_commands)
    return percentile(delays, 95) * 1000


async def main() -> None:
    """Measure."""
    async with identity_rig() as rig:
        people = await populate(rig.store, PEOPLE)
        environment = await rig.floor_dsn(), rig.nats_server.url

        async def of_ours() -> float:
            async with ours(rig, people) as command:
                return await p95(command)

        async def of_floor(*, jetstream: bool) -> float:
            async with bare(*environment, jetstream=jetstream) as command:
                return await p95(command)

        progress("visible: measuring")
        figures = await in_turn(
            [of_ours, lambda: of_floor(jetstream=True), lambda: of_floor(jetstream=False)], ROUNDS, "visible"
        )
    report(*figures)


def report(of_ours: list[float], of_floor: list[float], without_stream: list[float]) -> None:
    """Print the ratio to each floor; only the first has a bar."""
    other = statistics.median(without_stream)
    ratio = statistics.median(mine / theirs for mine, theirs in zip(of_ours, without_stream, strict=True))
    print(f"  visible: {ratio:.2f} times a loop without JetStream, whose p95 is {other:.2f} ms (no bar)")
    Pairs(of_ours, of_floor).report("visible", "p95 in ms from commit to visible row", BAR)


if __name__ == "__main__":
    measure(main())
