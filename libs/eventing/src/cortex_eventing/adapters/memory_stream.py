"""A stream in memory, for unit tests: the same promises as JetStream's, and the same ways to lose messages."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from cortex_eventing.ports import StreamEnd, StreamMessage
from cortex_eventing.recorded import RecordedBytes
from cortex_eventing.stream_ports import CursorLost, Fenced, StreamAway, StreamMissing


class MemoryStream:
    """A service's stream: the adapter of `OwnStream` and of `SourceStream`."""

    def __init__(self, name: str = "MEMORY") -> None:
        self.name = name
        self.away = False
        """Set it to cut the broker off."""
        self._messages: dict[int, RecordedBytes] | None = None
        self._last_sequence = 0
        self._changed = asyncio.Condition()
        self._born = 0

    @property
    def messages(self) -> Sequence[StreamMessage]:
        """What the stream holds."""
        return [StreamMessage(event, sequence) for sequence, event in (self._messages or {}).items()]

    async def create(self) -> None:
        """See `OwnStream`."""
        self._need_broker()
        if self._messages is None:
            self._messages = {}
            self._last_sequence = 0
            self._born += 1

    async def end(self) -> StreamEnd | None:
        """See `OwnStream`."""
        self._need_broker()
        if self._messages is None:
            return None
        if not self._messages:
            return StreamEnd(self._last_sequence, None, None)
        last = self._messages[max(self._messages)]
        return StreamEnd(self._last_sequence, last.position, last.event_id)

    @asynccontextmanager
    async def publishing(self, after: int) -> AsyncIterator["MemoryPublishing"]:
        """See `OwnStream`."""
        self._need_broker()
        yield MemoryPublishing(self, after)

    async def store(self, event: RecordedBytes, expected: int) -> int:
        """Store one message behind the sequence `expected`; its sequence. Raises Fenced and StreamAway."""
        self._need_broker()
        if self._messages is None or expected != self._last_sequence:
            raise Fenced(self.name)
        self._last_sequence += 1
        self._messages[self._last_sequence] = event
        await self._announce()
        return self._last_sequence

    async def remove(self, *sequences: int) -> None:
        """Delete messages; the stream's count stays."""
        for sequence in sequences:
            (self._messages or {}).pop(sequence, None)

    async def purge(self) -> None:
        """Delete all messages; the stream's count stays."""
        self._messages = {}

    async def delete(self) -> None:
        """Delete the stream, and its cursors with it."""
        self._messages = None
        await self._announce()

    async def _announce(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    @asynccontextmanager
    async def open(self, after: int | None) -> AsyncIterator["MemoryCursor"]:
        """See `SourceStream`."""
        self._need_broker()
        if self._messages is None:
            raise StreamMissing(self.name)
        yield MemoryCursor(self, self._last_sequence if after is None else min(after, self._last_sequence))

    async def behind(self, sequence: int, born: int, seconds: float) -> Sequence[StreamMessage]:
        """The messages behind a sequence of one incarnation, waited for. Raises CursorLost when it is gone."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: self._gone(born) or self._behind(sequence))
        except TimeoutError:
            return ()
        if self._gone(born):
            raise CursorLost("deleted")
        return self._behind(sequence)

    def _gone(self, born: int) -> bool:
        return self.away or self._messages is None or self._born != born

    def _behind(self, sequence: int) -> Sequence[StreamMessage]:
        return [message for message in self.messages if message.sequence > sequence]

    @property
    def incarnation(self) -> int:
        """Rises each time that the stream is made."""
        return self._born

    def _need_broker(self) -> None:
        if self.away:
            raise StreamAway("the broker")


class MemoryPublishing:
    """The adapter of `Publishing`."""

    def __init__(self, stream: MemoryStream, after: int) -> None:
        self._stream = stream
        self.sequence = after

    async def send(self, events: Sequence[RecordedBytes]) -> None:
        """See `Publishing`."""
        for event in events:
            self.sequence = await self._stream.store(event, self.sequence)

    async def settled(self) -> None:
        """See `Publishing`."""


class MemoryCursor:
    """The adapter of `Cursor`."""

    def __init__(self, stream: MemoryStream, after: int) -> None:
        self.after = after
        self._stream = stream
        self._incarnation = stream.incarnation
        self._given = after

    async def take(self, seconds: float) -> Sequence[StreamMessage]:
        """See `Cursor`."""
        messages = await self._stream.behind(self._given, self._incarnation, seconds)
        if messages:
            self._given = messages[-1].sequence
        return messages

    async def processed(self, count: int) -> None:
        """See `Cursor`."""
