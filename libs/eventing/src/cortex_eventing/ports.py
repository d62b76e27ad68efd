"""The ports of this library. Each has an in-memory and a real adapter that pass one contract suite."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol

from google.protobuf.message import Message

from cortex_eventing.decider import Claim
from cortex_eventing.recorded import Origin, RecordedBytes


@dataclass(frozen=True)
class RequestKey:
    """What makes a repeat of a request recognisable.

    Attributes:
        method: the RPC or reaction, for example `CreateSession`.
        request_id: the caller's id of this request.
        body_hash: SHA-256 of the request without its request id; another body under the same id is an error.
    """

    method: str
    request_id: uuid.UUID
    body_hash: bytes


@dataclass(frozen=True)
class Append:
    """One command's outcome, to be stored whole or not at all.

    Attributes:
        origin: where the command came from.
        aggregate_id: the aggregate that decided.
        expected_version: the version it decided on, 0 for a new one. The events are numbered from the next one.
        events: the events, in order; may be empty, so that a repeat of the request is recognised.
        recorded_at: the time to store as.
        resource_id: what a repeat of the request answers with; as a rule the aggregate's id.
        request: how a repeat is recognised; None where repeats are harmless by themselves.
    """

    origin: Origin
    aggregate_id: uuid.UUID
    expected_version: int
    events: Sequence[Message]
    recorded_at: datetime
    resource_id: str
    request: RequestKey | None = None
    take: Sequence[Claim] = field(default=(), kw_only=True)
    release: Sequence[Claim] = field(default=(), kw_only=True)


class Outcome(Enum):
    """What became of an append."""

    STORED = "stored"
    REPEATED = "repeated"
    REQUEST_ID_REUSED = "request_id_reused"
    VERSION_CONFLICT = "version_conflict"
    CLAIM_TAKEN = "claim_taken"


@dataclass(frozen=True)
class Appended:
    """The answer to one append.

    Attributes:
        outcome: what became of it.
        position: of its last event; for a command without events the highest under the lock; for a repeat the first's.
        resource_id: for a repeat, what the first answered with.
        version: the aggregate's version after its last event, or 0 when it stored none; for a repeat the first's.
        claim_kind: of the claim that was taken.
        claim_owner: who holds it.
    """

    outcome: Outcome
    position: int = 0
    resource_id: str = ""
    version: int = 0
    claim_kind: str = ""
    claim_owner: str = ""


@dataclass(frozen=True)
class Page:
    """Some of the store's events, by rising position.

    Attributes:
        events: without private fields.
        read_up_to: where the next page starts, also when a filter left nothing.
        at_head: whether this page reached the end of the store as it then was.
    """

    events: Sequence[RecordedBytes]
    read_up_to: int
    at_head: bool


@dataclass(frozen=True)
class AggregateHistory:
    """One aggregate's events, private fields included, parsed, in order. `project_id` is that of its first event."""

    project_id: str
    events: Sequence[Message]

    @property
    def version(self) -> int:
        """The version after the last event, 0 when there are none."""
        return len(self.events)


class EventFeed(Protocol):
    """A service's stored events, by position: its own store, or another service's `ReadEvents`. Raises Unavailable."""

    async def read(self, after: int, limit: int, project_id: str | None = None) -> Page:
        """The events after a position, at most `limit`."""
        ...

    async def head(self) -> int:
        """The highest position stored, 0 when empty."""
        ...


class EventStore(EventFeed, Protocol):
    """The events of one service: the only truth. Every method raises Unavailable when the server is away."""

    async def append(self, batch: Sequence[Append]) -> Sequence[Appended]:
        """Store each of the batch, or say why not; one command's refusal touches no other."""
        ...

    async def history(self, aggregate_id: uuid.UUID) -> AggregateHistory:
        """All events of one aggregate."""
        ...

    async def claim_owner(self, project_id: str, kind: str, value: str) -> str | None:
        """Who holds a value, or None."""
        ...

    def changes(self) -> AbstractAsyncContextManager[AsyncIterator[None]]:
        """Ticks whenever events may have been stored, and once at the start. A tick may be spurious, or missing."""
        ...


@dataclass(frozen=True)
class StreamEnd:
    """The end of a service's stream.

    Attributes:
        last_sequence: the stream's own count, also of messages that were deleted.
        position: of the last message that is still there, None when there is none.
        event_id: of that message.
    """

    last_sequence: int
    position: int | None
    event_id: uuid.UUID | None


@dataclass(frozen=True)
class StreamMessage:
    """A message as it came from a stream: the event, and the stream's own sequence as a hint for resuming."""

    event: RecordedBytes
    sequence: int
