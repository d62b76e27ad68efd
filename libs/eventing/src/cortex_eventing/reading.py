"""Station 6: reading a service's events in order without missing one: from its stream, and where that lacks, its feed.

The reader's own checkpoint is the only cursor. A message is accepted when it follows the checkpoint, skipped when it is
at or below, and anything else is a gap that the feed fills; the same cursor goes on behind it. A stream that is away is
replaced by the feed until it is back.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import NoReturn, Protocol

from cortex_eventing.checkpoints import Checkpoint
from cortex_eventing.contiguity import accept
from cortex_eventing.errors import CortexError, Unavailable
from cortex_eventing.feed_pages import pages_of
from cortex_eventing.ports import EventFeed, Page, StreamMessage
from cortex_eventing.reader_metrics import EVENTS, GAPS, OVERTAKEN, POSITION
from cortex_eventing.recorded import RecordedBytes
from cortex_eventing.role_state import Report
from cortex_eventing.roles import Alarm
from cortex_eventing.stream_ports import Cursor, CursorLost, SourceStream, StreamAway
from cortex_eventing.waking import POLL, Changes, woken_by

CATCH_UP = 5_000
"""Positions behind the store's head from which on the feed is read: its pages cost a fraction of messages."""

FEED_PAGE = 1_000
"""Events asked of the feed at once; the most that `ReadEvents` gives."""

SILENCE = 2.0
"""Seconds without a message after which the feed is asked whether anything happened. Twice in a row means yes: the
consumer is gone without a word, or the relay is stuck."""

WITHOUT_STREAM = 1.0
"""Seconds for which the feed alone is read before the stream is tried again."""

IDLE_AT_LEAST = 5.0
"""Seconds after which the handler gets its turn also when there is no pause."""

FEED_POLL = 0.5
"""Seconds between two looks at the feed of another service while its stream is away."""


class Overtaken(CortexError):
    """Another reader of the same name has moved the checkpoint; start over from where it stands now."""


@dataclass(frozen=True)
class Source:
    """Where a service's events come from.

    Attributes:
        stream: the service's stream.
        feed: its store, or its `ReadEvents`.
        changes: ticks of the own store; None for another service's events.
    """

    stream: SourceStream
    feed: EventFeed
    changes: Changes | None = None


class Handler(Protocol):
    """What a reader does with the events."""

    @property
    def name(self) -> str:
        """The reader's name, which its checkpoint is kept under."""
        ...

    async def start(self) -> Checkpoint:
        """Where to begin. Called again after each error. Raises as `handle` does."""
        ...

    async def handle(self, events: Sequence[RecordedBytes], old: Checkpoint, new: Checkpoint) -> None:
        """Deal with events that follow `old`, and move the checkpoint to `new`.

        Raises:
            Overtaken: the checkpoint is not `old` any more.
            Unavailable: a server is away; nothing is known about the outcome.
        """
        ...

    async def idle(self) -> None:
        """Time for what was set aside; called when nothing waits, and now and then. Raises as `handle` does."""
        ...


class Reading:
    """One reader of one source.

    Args:
        source: where the events come from.
        handler: what is done with them.
    """

    def __init__(self, source: Source, handler: Handler) -> None:
        self._source = source
        self._handler = handler
        self._at = Checkpoint()
        self._suspicious = False
        self._idle_due = 0.0

    async def run(self, report: Report) -> NoReturn:
        """Read for ever.

        Raises:
            Unavailable: the read model's server is away, or stream and feed are.
            Alarm: the source is not the one that the checkpoint is from.
        """
        while True:
            try:
                self._at = await self._handler.start()
                await self._follow(report)
            except Overtaken:
                OVERTAKEN.labels(self._handler.name).inc()

    async def _follow(self, report: Report) -> NoReturn:
        """Read the stream whenever there is one, and the feed alone meanwhile."""
        while True:
            try:
                await self._follow_stream(report)
            except CursorLost:
                await asyncio.sleep(0)
            except StreamAway as away:
                report.waiting(f"{away}; the feed is read instead")
                await self._follow_feed()

    async def _follow_stream(self, report: Report) -> NoReturn:
        far = await self._far_behind()
        # The cursor comes first: whatever the feed's head does not show yet will then come as a message.
        async with self._source.stream.open(None if far else self._at.sequence) as cursor:
            report.working()
            if far:
                await self._read_feed()
                self._at = Checkpoint(self._at.position, cursor.after)
            self._suspicious = False
            while True:
                messages = await cursor.take(SILENCE)
                if messages:
                    await self._take(messages)
                    await cursor.processed(len(messages))
                    if _now() > self._idle_due:
                        await self._idle()
                else:
                    await self._look_up(cursor)

    async def _far_behind(self) -> bool:
        """Whether the feed is the faster way; also refuses a store that is behind the checkpoint."""
        try:
            head = await self._source.feed.head()
        except Unavailable:
            return False
        if head < self._at.position:
            raise Alarm(
                f"{self._handler.name} has read up to position {self._at.position}, but its source ends at {head}: "
                "it was restored or replaced. Rebuild the reader, or restore the newer source."
            )
        return head - self._at.position > CATCH_UP

    async def _take(self, messages: Sequence[StreamMessage]) -> None:
        """Deal with messages, and with what they lack."""
        self._suspicious = False
        while messages:
            accepted = accept(messages, self._at)
            await self._handle(accepted.events, accepted.checkpoint, "stream")
            messages = accepted.rest
            if messages:
                GAPS.labels(self._handler.name).inc()
                await self._fill_gap(messages[0])

    async def _fill_gap(self, message: StreamMessage) -> None:
        """Read the feed to beyond a message that does not follow."""
        while self._at.position < message.event.position:
            page = await self._source.feed.read(self._at.position, FEED_PAGE)
            if page.events:
                await self._take_page(page)
                continue
            raise Alarm(
                f"the stream that {self._handler.name} reads is ahead of its store: position {message.event.position} "
                f"against {self._at.position}. The store was restored older, or the stream is another store's: delete "
                "the stream, and its relay will fill it again."
            )
        self._at = Checkpoint(self._at.position, message.sequence)

    async def _look_up(self, cursor: Cursor) -> None:
        """After a silence: is there really nothing? Raises CursorLost when there was something twice."""
        await self._idle()
        try:
            behind = await self._source.feed.head() > self._at.position
        except Unavailable:
            return
        if behind and self._suspicious:
            await self._read_feed()
            raise CursorLost(f"silent since {cursor.after}")
        self._suspicious = behind

    async def _follow_feed(self) -> None:
        """Read the feed alone, for a while."""
        until = _now() + WITHOUT_STREAM
        pause = POLL if self._source.changes else FEED_POLL
        async with woken_by(self._source.changes) as clock:
            while _now() < until:
                await self._read_feed()
                await clock.sleep(pause)
        await self._idle()

    async def _idle(self) -> None:
        self._idle_due = _now() + IDLE_AT_LEAST
        await self._handler.idle()

    async def _read_feed(self) -> None:
        """Read the feed to its head."""
        async with aclosing(pages_of(self._source.feed, self._at.position, FEED_PAGE)) as pages:
            async for page in pages:
                await self._take_page(page)

    async def _take_page(self, page: Page) -> None:
        if page.events:
            self._refuse_foreign(page.events[0])
            await self._handle(page.events, Checkpoint(page.events[-1].position, self._at.sequence), "feed")

    def _refuse_foreign(self, first: RecordedBytes) -> None:
        """The feed must go on where the checkpoint is."""
        if first.previous_position != self._at.position:
            raise Alarm(
                f"the feed that {self._handler.name} reads goes on behind position {first.previous_position} and not "
                f"{self._at.position}: it is another store's. Rebuild the reader."
            )

    async def _handle(self, events: Sequence[RecordedBytes], new: Checkpoint, source: str) -> None:
        if events:
            await self._handler.handle(events, self._at, new)
            EVENTS.labels(self._handler.name, source).inc(len(events))
            POSITION.labels(self._handler.name).set(new.position)
        self._at = new


def _now() -> float:
    return asyncio.get_running_loop().time()
