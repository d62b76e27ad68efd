"""The ports of stations 5 and 6: a service's stream, as its relay and as its readers see it.

A stream is a disposable copy of a store, in the store's order. Its sequence is its own and changes when it is made
anew; only positions mean something.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from cortex_eventing.errors import CortexError, Unavailable
from cortex_eventing.ports import StreamEnd, StreamMessage
from cortex_eventing.recorded import RecordedBytes


class Fenced(CortexError):
    """The stream's end is not where the publisher thought: somebody else published, or messages were lost.

    Nothing is known about what is in flight. The end of the stream says where to go on.
    """


class StreamAway(Unavailable):
    """The broker does not answer, or the stream cannot be used. Readers turn to the feed."""


class StreamMissing(StreamAway):
    """The stream does not exist, and this process may not make it, or nobody has made it yet."""

    def __init__(self, name: str) -> None:
        super().__init__(f"stream {name}")


class CursorLost(StreamAway):
    """A cursor will deliver nothing any more; a new one must be opened."""

    def __init__(self, why: str) -> None:
        super().__init__(f"a cursor ({why})")


class Publishing(Protocol):
    """One attempt at publishing, from a known end of the stream on; useless after its first error."""

    @property
    def sequence(self) -> int:
        """The stream's last sequence as far as it is acknowledged."""
        ...

    async def send(self, events: Sequence[RecordedBytes]) -> None:
        """Hand events over in order; returns when they are sent, with at most a window unacknowledged.

        Raises:
            Fenced: the stream's end was not where it was thought to be.
            StreamAway: no answer came in time, or the connection broke.
        """
        ...

    async def settled(self) -> None:
        """Wait until all that was sent is acknowledged. Raises as `send` does."""
        ...


class OwnStream(Protocol):
    """A service's own stream, as its relay sees it."""

    @property
    def name(self) -> str:
        """What the broker calls it."""
        ...

    async def create(self) -> None:
        """Make the stream, or give an existing one the subjects that it lacks.

        Raises:
            StreamMissing: it does not exist, and this process may not make it.
            StreamAway: the broker is away.
        """
        ...

    async def end(self) -> StreamEnd | None:
        """Where the stream ends; None when there is no stream.

        Raises:
            StreamAway: the broker is away.
        """
        ...

    def publishing(self, after: int) -> AbstractAsyncContextManager[Publishing]:
        """An attempt at publishing behind the stream's sequence `after`; every message is refused elsewhere."""
        ...


class Cursor(Protocol):
    """A place in a stream from which messages flow. Every message is delivered once, in order, or not at all."""

    @property
    def after(self) -> int:
        """The stream's sequence behind which it begins."""
        ...

    async def take(self, seconds: float) -> Sequence[StreamMessage]:
        """All messages that have come; waits for the first, at most `seconds`, then answers with none.

        Raises:
            CursorLost: nothing will come any more.
        """
        ...

    async def processed(self, count: int) -> None:
        """Say that messages were dealt with, so that others may be asked for: this bounds memory."""
        ...


class SourceStream(Protocol):
    """A stream, as its readers see it."""

    def open(self, after: int | None) -> AbstractAsyncContextManager[Cursor]:
        """A cursor behind sequence `after`, or behind the stream's end when that is earlier, or when it is None.

        Raises:
            StreamAway: the broker is away, or the stream is missing.
        """
        ...
