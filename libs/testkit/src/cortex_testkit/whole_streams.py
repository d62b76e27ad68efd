"""A stream compared with the store that it should be a copy of."""

from collections.abc import Sequence

from cortex_eventing.ports import StreamMessage
from cortex_eventing.stream_ports import OwnStream, SourceStream

from cortex_testkit.event_log import EventLog, positions
from cortex_testkit.waiting import eventually

QUIET = 0.2
"""Seconds without a message after which a stream's messages are taken to be all there."""


async def messages_in(source: SourceStream) -> Sequence[StreamMessage]:
    """All messages that a stream holds."""
    found: list[StreamMessage] = []
    async with source.open(0) as cursor:
        while some := await cursor.take(QUIET):
            found += some
            await cursor.processed(len(some))
    return found


async def filled_up_to(own: OwnStream, position: int) -> None:
    """Wait until the stream ends with a position."""

    async def ends_there() -> bool:
        end = await own.end()
        return end is not None and end.position == position

    await eventually(ends_there)


async def check_copy(source: SourceStream, log: EventLog, holes: Sequence[int] = ()) -> None:
    """The stream holds each event of the log once, in order, but for the positions that it is allowed to lack.

    Raises:
        AssertionError: it does not.
    """
    found = [message.event for message in await messages_in(source)]
    expected = [event for event in log.events if event.position not in set(holes)]
    if found != expected:
        missing = sorted(set(positions(expected)) - set(positions(found)))
        twice = len(found) - len(set(positions(found)))
        in_order = positions(found) == sorted(positions(found))
        raise AssertionError(f"{len(missing)} missing from {missing[:5]}, {twice} twice, in order: {in_order}")
