"""What every stream promises its relay and its readers."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import pytest
from cortex_eventing.ports import StreamEnd, StreamMessage
from cortex_eventing.recorded import RecordedBytes
from cortex_eventing.stream_ports import Cursor, CursorLost, Fenced, OwnStream, SourceStream, StreamMissing

from cortex_testkit.event_log import EventLog, positions
from cortex_testkit.sample_events import BoxFilled

DEADLINE = 10.0
"""Seconds a test waits for what must come."""

QUIET = 0.05
"""Seconds a test waits for what must not come; a stream that broke the promise would be seen in most runs."""


class Vandal(Protocol):
    """Loses a stream's messages in all the ways that an operator or a broker may."""

    async def remove(self, *sequences: int) -> None:
        """Delete messages."""
        ...

    async def purge(self) -> None:
        """Delete all messages."""
        ...

    async def delete(self) -> None:
        """Delete the stream."""
        ...


@dataclass(frozen=True)
class StreamRig:
    """A stream that does not exist yet, from all sides."""

    own: OwnStream
    source: SourceStream
    vandal: Vandal


def sample_events(count: int) -> Sequence[RecordedBytes]:
    """So many events of one log."""
    log = EventLog()
    log.add(*(BoxFilled(box_id=f"box-{number % 5}", amount=number) for number in range(count)))
    return log.events


async def publish(stream: OwnStream, events: Sequence[RecordedBytes], after: int = 0) -> int:
    """Publish events and wait for the answers; the last sequence."""
    async with stream.publishing(after) as publishing:
        await publishing.send(events)
        await publishing.settled()
        return publishing.sequence


async def taken(cursor: Cursor, count: int) -> list[StreamMessage]:
    """The next messages, exactly as many as asked for."""
    messages: list[StreamMessage] = []
    async with asyncio.timeout(DEADLINE):
        while len(messages) < count:
            some = await cursor.take(DEADLINE)
            messages += some
            await cursor.processed(len(some))
    return messages


class StreamContract:
    """Subclass it, set `pytestmark`, and give it a fixture `rig` that holds a `StreamRig`."""

    async def test_a_stream_that_was_never_made_has_no_end(self, rig: StreamRig) -> None:
        """A missing stream is told from an empty one."""
        assert await rig.own.end() is None

    async def test_making_it_twice_keeps_its_messages(self, rig: StreamRig) -> None:
        """Two replicas may make the stream at once."""
        await rig.own.create()
        await publish(rig.own, sample_events(3))
        await rig.own.create()
        end = await rig.own.end()
        assert end is not None
        assert end.last_sequence == 3

    async def test_an_empty_stream_ends_at_zero(self, rig: StreamRig) -> None:
        """Nothing was published: nothing to resume from."""
        await rig.own.create()
        assert await rig.own.end() == StreamEnd(0, None, None)

    async def test_the_end_names_the_last_event(self, rig: StreamRig) -> None:
        """The last message is the relay's memory."""
        await rig.own.create()
        events = sample_events(20)
        await publish(rig.own, events)
        assert await rig.own.end() == StreamEnd(20, events[-1].position, events[-1].event_id)

    async def test_the_end_survives_the_loss_of_the_tail(self, rig: StreamRig) -> None:
        """The count stays and the last message that is left counts."""
        await rig.own.create()
        events = sample_events(10)
        await publish(rig.own, events)
        await rig.vandal.remove(9, 10)
        assert await rig.own.end() == StreamEnd(10, events[7].position, events[7].event_id)

    async def test_an_emptied_stream_keeps_its_count(self, rig: StreamRig) -> None:
        """That is how it is told from a new one."""
        await rig.own.create()
        await publish(rig.own, sample_events(4))
        await rig.vandal.purge()
        assert await rig.own.end() == StreamEnd(4, None, None)

    async def test_a_publisher_elsewhere_is_refused(self, rig: StreamRig) -> None:
        """A second relay is told so, and what of its window fits the fence is what had to follow anyway."""
        await rig.own.create()
        events = sample_events(600)
        await publish(rig.own, events[:10])
        with pytest.raises(Fenced):
            await publish(rig.own, events, after=0)
        end = await rig.own.end()
        assert end is not None
        async with rig.source.open(0) as cursor:
            messages = await taken(cursor, end.last_sequence)
        assert [message.event for message in messages] == list(events[: end.last_sequence])

    async def test_a_publisher_goes_on_behind_deleted_messages(self, rig: StreamRig) -> None:
        """Deletions leave holes and do not move the fence."""
        await rig.own.create()
        events = sample_events(12)
        await publish(rig.own, events[:10])
        await rig.vandal.remove(10)
        assert await publish(rig.own, events[10:], after=10) == 12

    async def test_a_publisher_hears_that_the_stream_is_gone(self, rig: StreamRig) -> None:
        """Nobody answers, and nothing hangs."""
        await rig.own.create()
        await rig.vandal.delete()
        with pytest.raises(Fenced):
            await publish(rig.own, sample_events(3))

    async def test_more_than_a_window_arrives_in_order(self, rig: StreamRig) -> None:
        """Many messages in flight keep their order, and none is lost."""
        await rig.own.create()
        events = sample_events(3_000)
        assert await publish(rig.own, events) == 3_000
        async with rig.source.open(0) as cursor:
            messages = await taken(cursor, 3_000)
        assert [message.event.position for message in messages] == positions(events)
        assert [message.sequence for message in messages] == list(range(1, 3_001))

    async def test_an_event_comes_back_as_it_was(self, rig: StreamRig) -> None:
        """Every attribute survives the way through the broker."""
        await rig.own.create()
        events = sample_events(1)
        await publish(rig.own, events)
        async with rig.source.open(0) as cursor:
            (message,) = await taken(cursor, 1)
        assert message == StreamMessage(events[0], 1)

    async def test_a_cursor_begins_behind_its_hint(self, rig: StreamRig) -> None:
        """What was read before is not sent again."""
        await rig.own.create()
        await publish(rig.own, sample_events(10))
        async with rig.source.open(7) as cursor:
            assert [message.sequence for message in await taken(cursor, 3)] == [8, 9, 10]

    async def test_a_hint_beyond_the_end_is_cut_back(self, rig: StreamRig) -> None:
        """The hint may be of an earlier stream; a start beyond the end would wait for ever."""
        await rig.own.create()
        await publish(rig.own, sample_events(3))
        async with rig.source.open(500) as cursor:
            await publish(rig.own, sample_events(5)[3:], after=3)
            assert [message.sequence for message in await taken(cursor, 2)] == [4, 5]
            assert cursor.after == 3

    async def test_a_cursor_without_a_hint_begins_at_the_end(self, rig: StreamRig) -> None:
        """A catch-up opens it first and then reads the store."""
        await rig.own.create()
        events = sample_events(5)
        await publish(rig.own, events[:3])
        async with rig.source.open(None) as cursor:
            await publish(rig.own, events[3:], after=3)
            assert [message.sequence for message in await taken(cursor, 2)] == [4, 5]

    async def test_a_quiet_cursor_answers_with_nothing(self, rig: StreamRig) -> None:
        """Silence is no error."""
        await rig.own.create()
        async with rig.source.open(0) as cursor:
            assert await cursor.take(QUIET) == ()

    async def test_a_missing_stream_cannot_be_read(self, rig: StreamRig) -> None:
        """The reader is told and turns to the feed."""
        with pytest.raises(StreamMissing):
            async with rig.source.open(0):
                pass

    async def test_a_cursor_is_lost_with_its_stream(self, rig: StreamRig) -> None:
        """A reader does not wait for ever on a stream that is gone."""
        await rig.own.create()
        await publish(rig.own, sample_events(1))
        async with rig.source.open(0) as cursor:
            await taken(cursor, 1)
            await rig.vandal.delete()
            with pytest.raises(CursorLost):
                await cursor.take(DEADLINE)
