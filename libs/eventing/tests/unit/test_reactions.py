import asyncio
import itertools
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from cortex_eventing import reaction_runner
from cortex_eventing.adapters.memory_checkpoints import MemoryCheckpointStore
from cortex_eventing.adapters.memory_stream import MemoryStream
from cortex_eventing.checkpoints import Checkpoint, Lane
from cortex_eventing.errors import NotFound, Unavailable, WrongState
from cortex_eventing.failpoints import RAISE, FailpointReached, armed
from cortex_eventing.reaction_runner import IN_FLIGHT, ReactionRunner
from cortex_eventing.reactions import IGNORE, RETRY, Reaction, Request, request_id
from cortex_eventing.reading import Source
from cortex_eventing.recorded import Recorded
from cortex_eventing.relay import Relay
from cortex_eventing.role_state import Condition
from cortex_testkit.event_log import PROJECT, EventLog
from cortex_testkit.projecting import head, role
from cortex_testkit.sample_events import BoxFilled, BoxOpened
from cortex_testkit.waiting import eventually

pytestmark = pytest.mark.unit

NOTHING = 0
"""An amount that asks for nothing."""


def weigh(recorded: Recorded[BoxFilled]) -> tuple[str, int] | None:
    """Ask for the box to be weighed."""
    event = recorded.event
    return (event.box_id, event.amount) if event.amount != NOTHING else None


REACTION = Reaction(
    name="weigh-boxes",
    listens_to=(BoxFilled,),
    command=weigh,
    on_refusal={"BOX_NOT_FOUND": IGNORE, "WRONG_STATE": RETRY},
)
Command = tuple[str, int]


class Scales:
    """Executes commands, as often as it is asked to, and refuses what the test says."""

    def __init__(self) -> None:
        self.done: dict[str, list[int]] = defaultdict(list)
        self.requests: list[Request[Command]] = []
        self.refuse: dict[Command, list[Exception]] = {}
        self.at_once = self.most_at_once = 0
        self.busy = asyncio.Event()
        self.busy.set()

    async def execute(self, request: Request[Command]) -> None:
        """Weigh a box."""
        self.requests.append(request)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.busy.wait()
            if errors := self.refuse.get(request.command):
                raise errors.pop(0)
            box, amount = request.command
            self.done[box].append(amount)
        finally:
            self.at_once -= 1


Reacting = Callable[[], AbstractAsyncContextManager[None]]


@pytest.fixture
def scales() -> Scales:
    return Scales()


@pytest.fixture
def log() -> EventLog:
    return EventLog()


@pytest.fixture
def checkpoints() -> MemoryCheckpointStore:
    return MemoryCheckpointStore()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits between two attempts."""
    monkeypatch.setattr(reaction_runner, "waits", lambda: iter([0.0] * 100))


@pytest.fixture
def reacting(log: EventLog, scales: Scales, checkpoints: MemoryCheckpointStore) -> Reacting:
    """Runs the reaction as a replica would."""
    stream = MemoryStream()

    @asynccontextmanager
    async def run() -> AsyncIterator[None]:
        source = Source(stream, log, log.changes)
        async with (
            role(Relay(log, stream).run, "relay"),
            role(ReactionRunner(REACTION, scales.execute, checkpoints, source).run, "reaction"),
        ):
            yield

    return run


async def dealt_with(log: EventLog, checkpoints: MemoryCheckpointStore) -> None:
    """Wait until the reaction has come to the end."""

    async def at_the_end() -> bool:
        return (await checkpoints.load()).position == head(log)

    await eventually(at_the_end)


async def test_an_event_becomes_a_command(
    log: EventLog, scales: Scales, checkpoints: MemoryCheckpointStore, reacting: Reacting
) -> None:
    """In the event's project, caused by it, and only where there is something to ask for."""
    log.add(BoxOpened(box_id="a"), BoxFilled(box_id="a", amount=NOTHING), BoxFilled(box_id="a", amount=7))
    async with reacting():
        await dealt_with(log, checkpoints)
    (request,) = scales.requests
    event = log.events[-1]
    assert request.command == ("a", 7)
    assert request.origin.project_id == PROJECT
    assert request.origin.causation_id == str(event.event_id)
    assert request.origin.correlation_id == "together"
    assert request.key.request_id == request_id(event.event_id, "weigh-boxes")


def test_the_request_id_never_changes() -> None:
    """It is written in stores: another value would repeat old commands."""
    expected = uuid.UUID("9d9c3360-e6e7-5f80-a6aa-dd74008ddc0f")
    assert request_id(uuid.UUID("6f3b8f5c-0a0e-5d0f-9c39-5f1d7f0c2b61"), "weigh-boxes") == expected


async def test_a_lane_keeps_its_order_while_others_overtake(
    log: EventLog, scales: Scales, checkpoints: MemoryCheckpointStore, reacting: Reacting
) -> None:
    """Commands of different lanes are in flight together, up to a bound; those of one are not."""
    for amount in range(1, 6):
        log.add(*(BoxFilled(box_id=f"box-{number}", amount=amount) for number in range(100)))
    scales.busy.clear()
    async with reacting():
        await eventually(lambda: scales.at_once == IN_FLIGHT)
        scales.busy.set()
        await dealt_with(log, checkpoints)
    assert scales.most_at_once == IN_FLIGHT
    assert list(scales.done.values()) == [[1, 2, 3, 4, 5]] * 100


async def test_an_expected_refusal_is_ignored(
    log: EventLog, scales: Scales, checkpoints: MemoryCheckpointStore, reacting: Reacting
) -> None:
    """The reaction said so; the lane goes on."""
    scales.refuse["a", 1] = [NotFound("box")]
    log.add(BoxFilled(box_id="a", amount=1), BoxFilled(box_id="a", amount=2))
    async with reacting():
        await dealt_with(log, checkpoints)
    assert scales.done == {"a": [2]}
    assert await checkpoints.parked(10) == []


async def test_a_missing_service_is_waited_for(
    log: EventLog, scales: Scales, checkpoints: MemoryCheckpointStore, reacting: Reacting
) -> None:
    """However often it takes, with the same request id each time."""
    scales.refuse["a", 1] = [Unavailable("scales") for _ in range(20)]
    log.add(BoxFilled(box_id="a", amount=1))
    async with reacting():
        await dealt_with(log, checkpoints)
    assert scales.done == {"a": [1]}
    assert len({request.key for request in scales.requests}) == 1
    assert len(scales.requests) == 21


async def test_a_role_that_waits_for_a_service_says_so(
    log: EventLog, scales: Scales, checkpoints: MemoryCheckpointStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one command cannot be asked for, whatever the others do; then it is as before."""
    monkeypatch.setattr(reaction_runner, "waits", lambda: itertools.repeat(0.01))
    scales.refuse["a", 1] = [Unavailable("scales") for _ in range(100_000)]
    log.add(BoxFilled(box_id="a", amount=1), BoxFilled(box_id="b", amount=1))
    runner = ReactionRunner(REACTION, scales.execute, checkpoints, Source(MemoryStream(), log, log.changes))
    async with role(runner.run, "reaction") as report:
        await eventually(lambda: scales.done == {"b": [1]} and report.state.condition is Condition.WAITING)
        assert report.state.why == "scales is away"
        scales.refuse.clear()
        await dealt_with(log, checkpoints)
        assert "scales" not in report.state.why
    assert scales.done == {"a": [1], "b": [1]}


async def test_a_refusal_to_be_retried_is_retried_and_then_parked(
    log: EventLog, scales: Scales, checkpoints: MemoryCheckpointStore, reacting: Reacting
) -> None:
    """It may be right in a moment, but not for ever."""
    scales.refuse["a", 1] = [WrongState("not now"), WrongState("not now")]
    scales.refuse["b", 1] = [WrongState("never") for _ in range(20)]
    log.add(BoxFilled(box_id="a", amount=1), BoxFilled(box_id="b", amount=1), BoxFilled(box_id="b", amount=2))
    async with reacting():
        await dealt_with(log, checkpoints)
    assert scales.done == {"a": [1]}
    assert [event.lane for event in await checkpoints.parked(10)] == [Lane("box", "b")] * 2


@pytest.mark.parametrize("error", [WrongState("x", reason="SOMETHING_NEW"), KeyError("box")])
async def test_what_nobody_foresaw_parks_the_lane(
    log: EventLog, scales: Scales, checkpoints: MemoryCheckpointStore, reacting: Reacting, error: Exception
) -> None:
    """Somebody must look; the other lanes go on, and a replay mends it."""
    scales.refuse["a", 1] = [error] * 3
    log.add(BoxFilled(box_id="a", amount=1), BoxFilled(box_id="b", amount=1), BoxFilled(box_id="a", amount=2))
    async with reacting():
        await dealt_with(log, checkpoints)
        log.add(BoxFilled(box_id="a", amount=3))
        await dealt_with(log, checkpoints)
        assert scales.done == {"b": [1]}
        assert len(await checkpoints.parked(10)) == 3
    scales.refuse.clear()
    await checkpoints.replay(Lane("box", "a"))
    async with reacting():
        await eventually(lambda: scales.done["a"] == [1, 2, 3])
        log.add(BoxFilled(box_id="a", amount=4))
        await dealt_with(log, checkpoints)
    assert scales.done["a"] == [1, 2, 3, 4]


async def test_a_crash_before_the_checkpoint_repeats_the_same_requests(
    log: EventLog, scales: Scales, checkpoints: MemoryCheckpointStore, reacting: Reacting
) -> None:
    """Whoever executes them recognises the repeat by its key."""
    log.add(BoxFilled(box_id="a", amount=1), BoxFilled(box_id="b", amount=1))
    with armed("reaction.after_commands", RAISE), pytest.raises(FailpointReached):
        await _run_until_it_dies(reacting)
    assert await checkpoints.load() == Checkpoint()
    first = list(scales.requests)
    async with reacting():
        await dealt_with(log, checkpoints)
    assert scales.requests == [*first, *first]


async def _run_until_it_dies(reacting: Reacting) -> None:
    async with reacting():
        await asyncio.Event().wait()
