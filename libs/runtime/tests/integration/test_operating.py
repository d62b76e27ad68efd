"""The operator's commands, on a running service's own servers."""

from argparse import ArgumentParser
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from cortex_eventing.adapters.nats.connection import connected_now
from cortex_eventing.adapters.nats.stream import count_messages
from cortex_eventing.errors import NotFound, Unavailable
from cortex_runtime.adapters.embedded.ports import free_port
from cortex_runtime.adapters.embedded.servers import service_environment
from cortex_runtime.adapters.operating import Operating
from cortex_runtime.database import DatabaseAccess
from cortex_runtime.failures import CannotStart
from cortex_runtime.settings import ServiceSettings, load
from cortex_testkit.box_service import STREAM, BoxService, amounts, box_service
from cortex_testkit.projecting import rows_of
from cortex_testkit.sample_events import BoxFilled
from cortex_testkit.sample_read_model import POISON, PROJECTION
from cortex_testkit.sample_tables import make_sample_tables
from cortex_testkit.waiting import eventually

pytestmark = pytest.mark.integration

OPERATING = Operating[ServiceSettings](STREAM, (PROJECTION.name, "reaction"))
Answer = Callable[..., Awaitable[str]]


@pytest.fixture(scope="session")
def migrations() -> tuple[str, ...]:
    """The event store's and the readers' tables."""
    return ("cortex_eventing.adapters",)


@pytest.fixture
def answer(database: DatabaseAccess, nats_url: str, monkeypatch: pytest.MonkeyPatch) -> Answer:
    """What a command answers to arguments, set up as the service on this test's servers."""
    for name, value in service_environment(database, nats_url, "k" * 32).items():
        monkeypatch.setenv(name, value)

    async def run(command: str, *arguments: str) -> str:
        task, parser = OPERATING.tasks[command], ArgumentParser()
        task.declare(parser)
        return await task.run(load(ServiceSettings), parser.parse_args(arguments))

    return run


@pytest.fixture
async def service(database: DatabaseAccess, nats_url: str) -> AsyncIterator[BoxService]:
    """It runs all the time, and has parked the lane of the box `b`."""
    await make_sample_tables(database)
    async with box_service(database, nats_url) as running:
        await running.seen(await running.add(BoxFilled(box_id="a", amount=1)))
        await running.seen(await running.add(BoxFilled(box_id="b", amount=POISON)))
        await running.seen(await running.add(BoxFilled(box_id="b", amount=2)))
        yield running


@pytest.mark.usefixtures("service")
class WhenALaneIsParked:
    async def test_it_is_shown(self, answer: Answer) -> None:
        """Reader, lane, position, type and reason, and nothing of what the event says."""
        heading, first, second = (await answer("parked")).splitlines()
        assert heading.split() == ["READER", "LANE", "POSITION", "TYPE", "REASON"]
        assert first.split()[:4] == [PROJECTION.name, "box/b", "2", "cortex_testkit.sample.v1.BoxFilled"]
        assert "ValueError" in first
        assert "poison" not in first
        assert second.split()[:3] == [PROJECTION.name, "box/b", "3"]
        assert "behind a parked event" in second

    @pytest.mark.parametrize("arguments", [(PROJECTION.name, "box/b"), ("--all",), (PROJECTION.name, "--all")])
    async def test_it_is_replayed(
        self, answer: Answer, database: DatabaseAccess, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
    ) -> None:
        """Once the cause is mended, the running service folds what was parked."""
        monkeypatch.setattr("cortex_testkit.sample_read_model.POISON", -1)
        assert "2 events of 1 lanes" in await answer("replay", *arguments)

        async def nothing_parked() -> bool:
            return await answer("parked") == "nothing is parked"

        await eventually(nothing_parked)
        assert amounts(await rows_of(database, "boxes")) == {"a": 1, "b": POISON + 2}

    async def test_a_lane_that_is_not_parked_is_said(self, answer: Answer) -> None:
        """A slip of the hand is not taken for success."""
        with pytest.raises(NotFound, match="no such parked lane"):
            await answer("replay", PROJECTION.name, "box/c")

    @pytest.mark.parametrize(
        "arguments", [(), (PROJECTION.name,), (PROJECTION.name, "b"), (PROJECTION.name, "box/b", "--all")]
    )
    async def test_an_unclear_wish_is_refused(self, answer: Answer, arguments: tuple[str, ...]) -> None:
        """Nobody replays everything by leaving a word out."""
        with pytest.raises(CannotStart, match="--all"):
            await answer("replay", *arguments)


class WhenAStreamWasEmptied:
    @pytest.mark.usefixtures("service")
    async def test_it_is_filled_again_on_the_operators_word(self, answer: Answer, nats_url: str) -> None:
        """The running relay makes it anew from the store's first event."""
        async with connected_now(nats_url, "test") as nats:

            async def count() -> int:
                return await count_messages(nats, STREAM)

            await eventually(lambda: _equal(count, 3))
            await nats.jetstream.purge_stream(STREAM)
            await answer("refill-stream", "--yes")
            await eventually(lambda: _equal(count, 3))

    @pytest.mark.usefixtures("service")
    async def test_it_asks_first(self, answer: Answer, nats_url: str) -> None:
        """Without --yes it says what would go, and nothing does."""
        async with connected_now(nats_url, "test") as nats:
            await eventually(lambda: _equal(lambda: count_messages(nats, STREAM), 3))
            with pytest.raises(CannotStart, match=f"{STREAM} with 3 messages"):
                await answer("refill-stream")
            assert await count_messages(nats, STREAM) == 3

    async def test_a_stream_that_others_make_is_left_alone(
        self, answer: Answer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The service could not make it anew."""
        monkeypatch.setenv("CORTEX_NATS_MANAGE_STREAMS", "false")
        with pytest.raises(CannotStart, match="MANAGE_STREAMS"):
            await answer("refill-stream", "--yes")

    async def test_a_broker_that_is_away_is_said(self, answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
        """Instead of waiting for it for ever."""
        monkeypatch.setattr("cortex_eventing.adapters.nats.connection.REACHED_WITHIN", 0.2)
        monkeypatch.setenv("CORTEX_NATS_URL", f"nats://127.0.0.1:{free_port()}")
        with pytest.raises(Unavailable, match="NATS"):
            await answer("refill-stream", "--yes")


async def _equal(ask: Callable[[], Awaitable[int]], expected: int) -> bool:
    return await ask() == expected
