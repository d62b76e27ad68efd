"""A service's stored events in memory, without a store: for tests of whoever reads events."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from cortex_eventing.errors import Unavailable
from cortex_eventing.event_ids import event_id
from cortex_eventing.options import descriptor_of
from cortex_eventing.ports import Page
from cortex_eventing.recorded import Origin, RecordedBytes
from google.protobuf.message import Message

PROJECT = "11111111-1111-4111-8111-111111111111"
THEN = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
GAP_EVERY = 7
"""Every seventh position is burnt, as after a refused append: nobody may count on positions without gaps."""


class EventLog:
    """A feed that tests write to: `log.add(SessionCreated(...), ...)`.

    Attributes:
        away: set it, and every read raises Unavailable.
        silent: set it, and nobody is told of new events.
    """

    def __init__(self, name: str = "log", *, burn_positions: bool = True) -> None:
        self._name = name
        self.events: list[RecordedBytes] = []
        self.away = False
        self.silent = False
        self.reads = 0
        self._burn = burn_positions
        self._told: set[asyncio.Event] = set()

    def add(self, *messages: Message, project_id: str = PROJECT, aggregate_id: uuid.UUID | None = None) -> None:
        """Store events; each is the first of an aggregate of its own unless one is named."""
        for message in messages:
            self.events.append(self._record(message, project_id, aggregate_id))
        if not self.silent:
            for told in self._told:
                told.set()

    def _record(self, message: Message, project_id: str, aggregate_id: uuid.UUID | None) -> RecordedBytes:
        previous = self.events[-1].position if self.events else 0
        position = previous + (2 if self._burn and (previous + 1) % GAP_EVERY == 0 else 1)
        aggregate = aggregate_id or uuid.uuid5(uuid.NAMESPACE_OID, f"{self._name} {position}")
        version = 1 + sum(event.aggregate_id == aggregate for event in self.events) if aggregate_id else 1
        return RecordedBytes(
            event_id=event_id(aggregate, version),
            position=position,
            previous_position=previous,
            topic=descriptor_of(type(message)).full_name,
            aggregate_id=aggregate,
            version=version,
            recorded_at=THEN,
            origin=Origin(project_id, actor="test", correlation_id="together"),
            data=message.SerializeToString(),
        )

    async def read(self, after: int, limit: int, project_id: str | None = None) -> Page:
        """See `EventFeed`."""
        self._need()
        self.reads += 1
        start = self._index_after(after)
        scanned = self.events[start : start + limit]
        found = [event for event in scanned if project_id in (None, event.origin.project_id)]
        read_up_to = scanned[-1].position if scanned else after
        return Page(found, read_up_to, at_head=start + limit >= len(self.events))

    async def head(self) -> int:
        """See `EventFeed`."""
        self._need()
        return self.events[-1].position if self.events else 0

    @asynccontextmanager
    async def changes(self) -> AsyncIterator[AsyncIterator[None]]:
        """See `EventStore`."""
        told = asyncio.Event()
        told.set()
        self._told.add(told)
        try:
            yield _ticks(told)
        finally:
            self._told.discard(told)

    def _index_after(self, position: int) -> int:
        # Positions rise faster than indexes, so the index is never above the position.
        index = min(position, len(self.events))
        while index > 0 and self.events[index - 1].position > position:
            index -= 1
        return index

    def _need(self) -> None:
        if self.away:
            raise Unavailable("the log")


async def _ticks(told: asyncio.Event) -> AsyncIterator[None]:
    while True:
        await told.wait()
        told.clear()
        yield


def positions(events: Sequence[RecordedBytes]) -> list[int]:
    """The positions of events."""
    return [event.position for event in events]
