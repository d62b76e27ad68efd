"""`commands`: commands a second that the identity service carries out, against the library's own loop.

Ours comes through gRPC from callers in another process: half new participants (a claim each), half new names of old
ones, each with a request id. Relay and projection run in the service all the while. `commands` has 64 callers at a
time, `commands-1` one.
"""

import json
import statistics
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
from cortex.identity.v1.events_pb2 import ParticipantCreated, ParticipantUpdated
from cortex.identity.v1.identity_service_pb2 import ListParticipantsRequest
from cortex.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from cortex_runtime.adapters.embedded.ports import LOOPBACK, free_port
from cortex_runtime.adapters.embedded.servers import service_environment
from cortex_testkit.processes import ServiceProcess, service_process
from harness import Bar, Pairs, check, healthy, in_turn, measure, progress, tree_cpu_seconds
from line_process import LineProcess, line_process
from people import EVENTS_EACH, PROJECT, populate
from rig import CLAIM_KEY, EVENTS, Rig, all_events, identity_rig

if TYPE_CHECKING:
    from cortex.identity.v1.identity_service_pb2_grpc import IdentityServiceAsyncStub

BAR = Bar(4)
BAR_OF_ONE = Bar(0.7)
ROUNDS = 15
CALLERS = 64
SECONDS = 1.5
PEOPLE = 2_000
VISIBLE_WITHIN = 60.0


@dataclass
class Ours:
    """The service, its callers, and all that they were told."""

    rig: Rig
    service: ServiceProcess
    callers: LineProcess
    stub: "IdentityServiceAsyncStub"
    acknowledged: list[tuple[str, str, int]] = field(default_factory=list)
    cpu: dict[str, list[float]] = field(default_factory=dict)
    lags: list[float] = field(default_factory=list)

    async def block(self, callers: int) -> float:
        """Commands a second. Afterwards the service has nothing left to do, so that the floor has the machine."""
        before = self._cpu()
        answer = json.loads(await self.callers.ask(callers, SECONDS))
        used = self._cpu()
        commands = len(answer["acknowledged"])
        if callers == CALLERS:
            for name, seconds in used.items():
                self.cpu.setdefault(name, []).append((seconds - before[name]) / commands * 1e6)
        self.acknowledged += [(who, name, position) for who, name, position in answer["acknowledged"]]
        await self._until_visible(self.acknowledged[-1][2])
        return commands / float(answer["seconds"])

    async def _until_visible(self, position: int) -> None:
        began = time.perf_counter()
        await self.stub.ListParticipants(
            ListParticipantsRequest(project_id=PROJECT, page_size=1, min_position=position), timeout=VISIBLE_WITHIN
        )
        self.lags.append(time.perf_counter() - began)

    def _cpu(self) -> dict[str, float]:
        pids = {
            "service": self.service.pid,
            "callers": self.callers.pid,
            "PostgreSQL": self.rig.postgres.pid,
            "nats-server": self.rig.nats_server.pid,
        }
        return {name: tree_cpu_seconds(pid) for name, pid in pids.items()}


@asynccontextmanager
async def identity(rig: Rig, folder: Path, people: Sequence[uuid.UUID]) -> AsyncIterator[Ours]:
    """The service as a process, and callers that know these participants."""
    address = f"{LOOPBACK}:{free_port()}"
    names = folder / "people"
    names.write_text("\n".join(map(str, people)), encoding="ascii")
    environment = {
        **service_environment(rig.access, rig.nats_server.url, CLAIM_KEY.decode()),
        "CORTEX_GRPC_PORT": address.rpartition(":")[2],
    }
    async with (
        service_process("cortex_identity", environment, folder / "identity.log") as service,
        line_process("command_load", address, PROJECT, str(names)) as callers,
        grpc.aio.insecure_channel(address) as channel,
    ):
        await service.until_ready(lambda: healthy(channel))
        yield Ours(rig, service, callers, IdentityServiceStub(channel))


async def check_stored(ours: Ours) -> None:
    """Each acknowledged command must be in the store once, where its answer said, and nothing else must be there."""
    stored = await all_events(ours.rig.store)
    expected = PEOPLE * EVENTS_EACH + len(ours.acknowledged)
    check(len(stored) == expected, f"the store holds {len(stored)} events instead of {expected}")
    at = {event.position: EVENTS.parse(event).event for event in stored}
    given = Counter(
        event.profile.display_name
        for event in at.values()
        if isinstance(event, ParticipantCreated | ParticipantUpdated)
    )
    for participant_id, name, position in ours.acknowledged:
        event = at.get(position)
        check(
            isinstance(event, ParticipantCreated | ParticipantUpdated)
            and (event.participant_id, event.profile.display_name) == (participant_id, name)
            and given[name] == 1,
            f"the command acknowledged at position {position} is not there once",
        )


async def main() -> None:
    """Start what is needed, and measure."""
    async with identity_rig() as rig:
        progress("commands: storing histories")
        people = await populate(rig.store, PEOPLE)
        with tempfile.TemporaryDirectory() as folder:
            async with (
                identity(rig, Path(folder), people) as ours,
                line_process("floors/library_commands", environment=await rig.floor_environment()) as floor,
            ):
                many, one, library = await in_turn(
                    [lambda: ours.block(CALLERS), lambda: ours.block(1), lambda: floor.figure(SECONDS)],
                    ROUNDS,
                    "commands",
                )
            progress("commands: looking for what was acknowledged")
            await check_stored(ours)
            progress("")
    report(ours, many, one, library)


def report(ours: Ours, many: list[float], one: list[float], library: list[float]) -> None:
    """Print what was measured."""
    cpu = ", ".join(f"{name} {statistics.median(used):.0f}" for name, used in ours.cpu.items())
    print(f"  commands: {len(ours.acknowledged)} acknowledged, all of them stored once")
    print(f"  commands: microseconds of CPU a command, {CALLERS} callers: {cpu}")
    print(f"  commands: the read model was behind by {statistics.median(ours.lags) * 1000:.0f} ms at a block's end")
    Pairs(one, library).report("commands-1", "commands a second, one caller", BAR_OF_ONE)
    Pairs(many, library).report("commands", f"commands a second, {CALLERS} callers", BAR)


if __name__ == "__main__":
    measure(main())
