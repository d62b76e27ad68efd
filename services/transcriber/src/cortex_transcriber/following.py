"""Follows the session service's events for those that concern open streams: sessions that end."""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from cortex.session.v1.events_pb2 import SessionEnded
from cortex_eventing.checkpoints import Checkpoint
from cortex_eventing.errors import Unavailable
from cortex_eventing.recorded import RecordedBytes
from cortex_eventing.times import time_of

from cortex_transcriber.stream.open_streams import OpenStreams

BEGUN_WITHIN: Final = 2.0
"""Seconds that a stream's opening waits for: with the session service there, following begins within milliseconds."""

SESSION_ENDED: Final = SessionEnded.DESCRIPTOR.full_name


class Head(Protocol):
    """Where the session service's store ends."""

    async def head(self) -> int:
        """The highest position stored. Raises Unavailable."""
        ...


class SessionFollower:
    """What a reader of the session service's events does with them, in every replica.

    It begins at the head of the feed: sessions that ended before are refused when a stream opens. A stream is counted
    among the open ones before the session service is asked, and is asked only once this follows; so an end comes to
    light either in the answer or here.
    """

    name = "session-ends"

    def __init__(self, feed: Head, open_streams: OpenStreams) -> None:
        self._feed = feed
        self._open_streams = open_streams
        self._at: Checkpoint | None = None
        self._begun = asyncio.Event()

    async def following(self) -> None:
        """Wait for the beginning, at the start of the process; afterwards an end cannot be missed.

        Raises:
            Unavailable: the session service was not there yet.
        """
        try:
            async with asyncio.timeout(BEGUN_WITHIN):
                await self._begun.wait()
        except TimeoutError:
            raise Unavailable("the session service") from None

    async def start(self) -> Checkpoint:
        """Where it stands; at the head of the feed when it just begins."""
        if self._at is None:
            self._at = Checkpoint(await self._feed.head())
            self._begun.set()
        return self._at

    async def handle(self, events: Sequence[RecordedBytes], old: Checkpoint, new: Checkpoint) -> None:  # noqa: ARG002
        """Tell the streams of sessions that ended."""
        for raw in events:
            if raw.topic == SESSION_ENDED:
                ended = SessionEnded.FromString(raw.data)
                self._open_streams.session_over(ended.session_id, time_of(ended.ended_at))
        self._at = new

    async def idle(self) -> None:
        """Nothing is ever set aside."""
        await asyncio.sleep(0)
