"""Station 3: an event as it stands in the store, and where it came from."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from google.protobuf.message import Message

Event = TypeVar("Event", bound=Message)


@dataclass(frozen=True)
class Origin:
    """Where a command, and so its events, came from.

    Attributes:
        project_id: the project as canonical text, or an empty string for none.
        actor: who asked, for instance a key's id; never a name.
        correlation_id: what belongs together.
        causation_id: the event or request that caused it.
        traceparent: the W3C trace context.
    """

    project_id: str
    actor: str = ""
    correlation_id: str = ""
    causation_id: str = ""
    traceparent: str = ""


@dataclass(frozen=True)
class RecordedBytes:
    """A stored event, opened but not parsed: what relay and feed hand on. Holds no private fields.

    Attributes:
        event_id: UUIDv5 of aggregate id and version.
        position: its place in this service's store; rises, with gaps.
        previous_position: the position of the event before it in the store, 0 for the first.
        topic: the full name of the protobuf message.
        data: payload and personal fields, concatenated: parses as the merged message.
        data_owner: the participant whose personal data it holds, or an empty string.
    """

    event_id: uuid.UUID
    position: int
    previous_position: int
    topic: str
    aggregate_id: uuid.UUID
    version: int
    recorded_at: datetime
    origin: Origin
    data: bytes
    data_owner: str = ""

    @cached_property
    def project_id(self) -> str:
        """Its project as canonical text, or an empty string."""
        return self.origin.project_id

    @classmethod
    def completed_late(cls, at_hand: Mapping[str, object], late: Callable[[str], object]) -> Self:
        """An event of which some attributes are worked out when somebody asks.

        A store opens a page of them for a reader that looks at a few attributes of a few; working all of them out took
        two thirds of a rebuild.

        Args:
            at_hand: attributes by name.
            late: the value of any other, by name.
        """
        event = object.__new__(cls)
        event.__dict__.update(at_hand)
        event.__dict__["_late"] = late
        return event

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            late = self.__dict__.get("_late")
            if late is None or name.startswith("_"):
                raise AttributeError(name)
            value = self.__dict__[name] = late(name)
            return value


@dataclass(frozen=True)
class Recorded(Generic[Event]):
    """A stored event with its message parsed."""

    event: Event
    raw: RecordedBytes

    @property
    def position(self) -> int:
        """Its place in its service's store."""
        return self.raw.position

    @property
    def project_id(self) -> str:
        """Its project, or an empty string."""
        return self.raw.project_id
