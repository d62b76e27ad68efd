"""How the ends of sessions reach the streams."""

import asyncio
import uuid
from datetime import UTC, datetime

import pytest
from cortex.session.v1.events_pb2 import SessionCreated, SessionEnded
from cortex_eventing.checkpoints import Checkpoint
from cortex_eventing.errors import Unavailable
from cortex_eventing.recorded import Origin, RecordedBytes
from cortex_eventing.times import stamp
from cortex_transcriber.following import SessionFollower
from cortex_transcriber.stream.open_streams import OpenStreams
from google.protobuf.message import Message

pytestmark = pytest.mark.unit

AT = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


class Feed:
    """A feed that stands somewhere, once it is there."""

    def __init__(self, *, there: bool = True) -> None:
        self.there = there

    async def head(self) -> int:
        """Where it stands."""
        if not self.there:
            raise Unavailable("session")
        return 41


class Stream:
    """An open stream."""

    project_id = "project"

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        self.over_at: datetime | None = None

    def session_over(self, ended_at: datetime) -> None:
        """It is over."""
        self.over_at = ended_at

    def drain(self, reconnect_by: datetime) -> None:
        """Not here."""


def recorded(event: Message, position: int) -> RecordedBytes:
    """An event of the session service."""
    return RecordedBytes(
        event_id=uuid.uuid4(),
        position=position,
        previous_position=position - 1,
        topic=event.DESCRIPTOR.full_name,
        aggregate_id=uuid.uuid4(),
        version=1,
        recorded_at=AT,
        origin=Origin("project"),
        data=event.SerializeToString(),
    )


async def test_streams_of_an_ended_session_are_told() -> None:
    """The others go on, and other events say nothing to streams."""
    streams = OpenStreams(most=2)
    ours, other = Stream("ours"), Stream("other")
    follower = SessionFollower(Feed(), streams)
    events = [
        recorded(SessionCreated(session_id="other"), 42),
        recorded(SessionEnded(session_id="ours", ended_at=stamp(AT)), 43),
    ]
    with streams.opened(ours), streams.opened(other):
        await follower.handle(events, await follower.start(), Checkpoint(43))
    assert (ours.over_at, other.over_at) == (AT, None)


async def test_it_begins_at_the_head_and_goes_on_where_it_was() -> None:
    """Sessions that ended before are refused when a stream opens; after a break nothing is missed."""
    follower = SessionFollower(Feed(), OpenStreams(most=1))
    assert await follower.start() == Checkpoint(41)
    await follower.handle([], Checkpoint(41), Checkpoint(50))
    assert await follower.start() == Checkpoint(50)


async def test_streams_open_once_no_end_can_be_missed() -> None:
    """Whoever opens a stream meanwhile waits for the beginning."""
    feed = Feed(there=False)
    follower = SessionFollower(feed, OpenStreams(most=1))
    waiting = asyncio.create_task(follower.following())
    with pytest.raises(Unavailable):
        await follower.start()
    assert not waiting.done()
    feed.there = True
    await follower.start()
    await waiting
