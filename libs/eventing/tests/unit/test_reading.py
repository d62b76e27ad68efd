import asyncio
from collections.abc import Sequence

import pytest
from cortex_eventing import reading
from cortex_eventing.adapters.memory_stream import MemoryStream
from cortex_eventing.checkpoints import Checkpoint
from cortex_eventing.reading import Overtaken, Reading, Source
from cortex_eventing.recorded import RecordedBytes
from cortex_eventing.relay import Relay
from cortex_eventing.role_state import Condition
from cortex_testkit.event_log import EventLog, positions
from cortex_testkit.projecting import fill, head, role
from cortex_testkit.waiting import eventually

pytestmark = pytest.mark.unit


class Notebook:
    """Writes down what it is handed, and insists that nothing is missing."""

    name = "notebook"

    def __init__(self, at: Checkpoint = Checkpoint()) -> None:  # noqa: B008 - it is a value
        self.at = at
        self.events: list[RecordedBytes] = []
        self.overtake = False

    async def start(self) -> Checkpoint:
        """Where the notes end."""
        return self.at

    async def handle(self, events: Sequence[RecordedBytes], old: Checkpoint, new: Checkpoint) -> None:
        """Note a page."""
        if self.overtake:
            self.overtake = False
            raise Overtaken
        assert old.position == self.at.position
        assert events[0].previous_position == old.position
        self.events += events
        self.at = new

    async def idle(self) -> None:
        """Have nothing to do."""


@pytest.fixture
def log() -> EventLog:
    return EventLog()


@pytest.fixture
def stream() -> MemoryStream:
    return MemoryStream()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silences are short."""
    monkeypatch.setattr(reading, "SILENCE", 0.02)
    monkeypatch.setattr(reading, "WITHOUT_STREAM", 0.02)
    monkeypatch.setattr(reading, "POLL", 0.01)
    monkeypatch.setattr(reading, "FEED_POLL", 0.01)


async def complete(notebook: Notebook, log: EventLog) -> None:
    """Wait until everything is noted, and check it."""
    await eventually(lambda: notebook.at.position == head(log))
    assert positions(notebook.events) == positions(log.events)


@pytest.mark.parametrize("hint", [0, 3, 25, 10_000])
async def test_a_wrong_hint_heals(log: EventLog, stream: MemoryStream, hint: int) -> None:
    """Too early is skipped, too late is a gap, beyond the end is cut back: the positions decide."""
    fill(log, 30)
    notebook = Notebook(Checkpoint(0, hint))
    async with role(Relay(log, stream).run), role(Reading(Source(stream, log), notebook).run):
        await complete(notebook, log)
        fill(log, 5)
        await complete(notebook, log)


async def test_the_hint_follows_a_catch_up(
    log: EventLog, stream: MemoryStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that read the store to its head does not begin at the stream's first message next time."""
    monkeypatch.setattr(reading, "CATCH_UP", 100)
    fill(log, 500)
    async with role(Relay(log, stream).run):
        await eventually(lambda: len(stream.messages) == 500)
        notebook = Notebook()
        async with role(Reading(Source(stream, log), notebook).run):
            await complete(notebook, log)
            fill(log, 1)
            await complete(notebook, log)
    assert notebook.at.sequence == 501


async def test_it_begins_anew_when_it_was_overtaken(log: EventLog, stream: MemoryStream) -> None:
    """Another reader moved the checkpoint: what is in memory counts for nothing."""
    fill(log, 30)
    notebook = Notebook()
    notebook.overtake = True
    async with role(Reading(Source(stream, log, log.changes), notebook).run):
        await complete(notebook, log)


async def test_the_feed_of_another_service_is_polled_while_its_stream_is_away(
    log: EventLog, stream: MemoryStream
) -> None:
    """There are no ticks of another service's store."""
    stream.away = True
    notebook = Notebook()
    async with role(Reading(Source(stream, log), notebook).run) as report:
        fill(log, 30)
        await complete(notebook, log)
        assert report.state.condition is Condition.WAITING
        stream.away = False
        async with role(Relay(log, stream).run):
            await eventually(lambda: report.state.condition is Condition.WORKING)


async def test_the_stream_is_enough_while_the_feed_is_away(log: EventLog, stream: MemoryStream) -> None:
    """Another service may be down; what it published can be read."""
    fill(log, 30)
    async with role(Relay(log, stream).run):
        await eventually(lambda: len(stream.messages) == 30)
    log.away = True
    notebook = Notebook()
    async with role(Reading(Source(stream, log), notebook).run):
        await eventually(lambda: notebook.at.position == head(log))


async def test_a_gap_waits_for_the_feed(log: EventLog, stream: MemoryStream) -> None:
    """What the stream lacks only the feed has: nothing is skipped meanwhile."""
    fill(log, 30)
    async with role(Relay(log, stream).run):
        await eventually(lambda: len(stream.messages) == 30)
    await stream.remove(10)
    log.away = True
    notebook = Notebook()
    async with role(Reading(Source(stream, log), notebook).run) as report:
        await eventually(lambda: report.state.condition is Condition.WAITING)
        assert len(notebook.events) == 9
        log.away = False
        await complete(notebook, log)


async def test_a_silent_stream_is_doubted(log: EventLog, stream: MemoryStream) -> None:
    """The relay is stuck: the feed moves and no message comes."""
    await stream.create()
    notebook = Notebook()
    async with role(Reading(Source(stream, log), notebook).run):
        await asyncio.sleep(0)
        fill(log, 30)
        await complete(notebook, log)


async def test_a_store_behind_the_reader_is_an_alarm(log: EventLog, stream: MemoryStream) -> None:
    """It was restored older or wiped: going on would mix two histories."""
    await stream.create()
    fill(log, 5)
    notebook = Notebook(Checkpoint(1_000))
    async with role(Reading(Source(stream, log), notebook).run) as report:
        await eventually(lambda: report.state.condition is Condition.ALARMED)
    assert not notebook.events


async def test_a_stream_ahead_of_its_store_is_an_alarm(log: EventLog, stream: MemoryStream) -> None:
    """The messages are of a history that the store does not know."""
    fill(log, 30)
    async with role(Relay(log, stream).run):
        await eventually(lambda: len(stream.messages) == 30)
    await stream.remove(*range(1, 20))
    older = EventLog()
    fill(older, 5)
    notebook = Notebook()
    async with role(Reading(Source(stream, older), notebook).run) as report:
        await eventually(lambda: report.state.condition is Condition.ALARMED)
    assert positions(notebook.events) == positions(older.events)


async def test_another_store_is_an_alarm(log: EventLog, stream: MemoryStream) -> None:
    """The feed does not go on where the checkpoint is."""
    stream.away = True
    fill(log, 30)
    notebook = Notebook(Checkpoint(7))  # a position that was burnt
    async with role(Reading(Source(stream, log), notebook).run) as report:
        await eventually(lambda: report.state.condition is Condition.ALARMED)
    assert not notebook.events
