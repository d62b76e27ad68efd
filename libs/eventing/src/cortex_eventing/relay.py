"""Station 5: the store's events, published on the service's stream, in order, each once.

The relay has no checkpoint: the stream's last message is its memory, and the fence on the stream's sequence keeps a
second relay, or a repeat, from storing anything twice. A stream that is wiped is filled again from the store.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from typing import NoReturn, Protocol

from cortex_eventing.failpoints import declare, failpoint
from cortex_eventing.feed_pages import pages_of
from cortex_eventing.pacing import Pace
from cortex_eventing.ports import EventFeed, StreamEnd
from cortex_eventing.relay_metrics import FENCED, LAG, POSITION, PUBLISHED, REFILLS
from cortex_eventing.role_state import Report
from cortex_eventing.roles import Alarm
from cortex_eventing.stream_ports import Fenced, OwnStream, Publishing
from cortex_eventing.waking import POLL, Alarmclock, woken_by

AFTER_PUBLISH = declare("relay.after_publish", "a page is sent, and the answers for its end are not heard yet")
AFTER_ACK = declare("relay.after_ack", "everything sent is on the stream, and nobody has taken note")

PAGE = 1_000
"""Events read from the store at once: four windows, so that reading one page hides behind publishing another."""

LOOK_AGAIN = 3.0
"""Seconds between two looks of an idle relay at the stream's end. Deleted messages do not change the stream's count,
and the fence passes them: only a look shows that the tail is gone."""

MEASURE_EVERY = 1.0
"""Seconds between two measurements of how far behind a busy relay is."""

ROUNDS = 200.0
"""Rounds a second. One costs the relay and every reader behind it as much CPU as ten events do, so that events which
come faster wait for one another; those that come now and then, or a few at a time, do not."""

AT_ONCE = 4
"""Rounds that may follow each other without a pause."""

BUSY = 4
"""Events of one round from which on it is taken for a sign of many more."""

BUSY_COST = 4.0
"""Rounds that a busy one counts for: fifty of them a second, and nobody who waits for a row notices."""

FENCED_PAUSE = 0.05
"""Seconds after a refusal, so that two relays that overlap do not drive one another."""


class OwnFeed(EventFeed, Protocol):
    """The part of an `EventStore` that a relay needs."""

    def changes(self) -> AbstractAsyncContextManager[AsyncIterator[None]]:
        """See `EventStore`."""
        ...


@dataclass(frozen=True)
class _Resume:
    """Where to go on: behind this position of the store, and this sequence of the stream."""

    position: int
    sequence: int


class Relay:
    """The role that fills a service's stream.

    Args:
        store: the service's events.
        stream: where they go.
        refill: how an operator has the stream deleted, for alarms.
    """

    def __init__(self, store: OwnFeed, stream: OwnStream, *, refill: str = "delete it") -> None:
        self._store = store
        self._stream = stream
        self._refill = refill

    async def run(self, report: Report) -> NoReturn:
        """Publish for ever.

        Raises:
            Unavailable: the store or the broker is away.
            Alarm: the stream is not of this store, or was emptied.
        """
        async with woken_by(self._store.changes) as clock:
            while True:
                try:
                    await self._publish_from(await self._resume(), clock, report)
                except Fenced:
                    FENCED.labels(self._stream.name).inc()
                    await asyncio.sleep(FENCED_PAUSE)

    async def _resume(self) -> _Resume:
        """Where the stream's end says to go on."""
        await self._stream.create()
        end = await self._stream.end()
        while end is None:
            await self._stream.create()
            end = await self._stream.end()
        if end.position is not None:
            await self._refuse_foreign(end)
            return _Resume(end.position, end.last_sequence)
        if end.last_sequence > 0:
            raise Alarm(
                f"stream {self._stream.name} was emptied: it counts {end.last_sequence} messages and holds none. "
                f"If it should be filled again from the store: {self._refill}"
            )
        REFILLS.labels(self._stream.name).inc()
        return _Resume(0, 0)

    async def _refuse_foreign(self, end: StreamEnd) -> None:
        """The event that the stream ends with must be in the store, or one of the two is another's."""
        page = await self._store.read((end.position or 0) - 1, 1) if (end.position or 0) > 0 else None
        found = page.events[0] if page is not None and page.events else None
        if found is None or found.position != end.position or found.event_id != end.event_id:
            raise Alarm(
                f"stream {self._stream.name} is not of this store: it ends with position {end.position}, which the "
                "store holds as another event or not at all. Restore the store that it is of; or, if this store is the "
                f"right one, and the stream should be filled again from it: {self._refill}"
            )

    async def _publish_from(self, resume: _Resume, clock: Alarmclock, report: Report) -> None:
        """Publish what follows, and wait for more; returns when the stream's end must be read again."""
        async with self._stream.publishing(resume.sequence) as publishing:
            report.working()
            position = resume.position
            due, pace = _now() + LOOK_AGAIN, Pace(ROUNDS, AT_ONCE)
            while True:
                published = position
                position = await self._publish_to_head(publishing, position)
                if _now() > due:
                    if await self._moved_on(publishing.sequence, position):
                        return
                    due = _now() + LOOK_AGAIN
                await asyncio.sleep(pace.wait_after(BUSY_COST if position - published >= BUSY else 1, _now()))
                await clock.sleep(POLL)

    async def _publish_to_head(self, publishing: Publishing, position: int) -> int:
        """Send all that the store has behind a position, and wait until it has arrived; where that leads."""
        began, measure_due = position, _now() + MEASURE_EVERY
        async with aclosing(pages_of(self._store, position, PAGE)) as pages:
            async for page in pages:
                if page.events:
                    await publishing.send(page.events)
                    await failpoint(AFTER_PUBLISH)
                    position = page.events[-1].position
                    PUBLISHED.labels(self._stream.name).inc(len(page.events))
                if _now() > measure_due:
                    LAG.labels(self._stream.name).set(await self._store.head() - position)
                    measure_due = _now() + MEASURE_EVERY
        await publishing.settled()
        if position > began:
            await failpoint(AFTER_ACK)
        POSITION.labels(self._stream.name).set(position)
        LAG.labels(self._stream.name).set(0)
        return position

    async def _moved_on(self, sequence: int, position: int) -> bool:
        """Whether the stream ends elsewhere than it was left."""
        end = await self._stream.end()
        if end is None:
            return True
        return (end.last_sequence, end.position or 0) != (sequence, position)


def _now() -> float:
    return asyncio.get_running_loop().time()
