"""What is there afterwards: stores, streams, and what can be read, as plain values that the checker compares."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from cortex.common.v1.feed_pb2 import RecordedEvent
from cortex.identity.v1 import events_pb2 as identity_events
from cortex.identity.v1.resources_pb2 import Participant
from cortex.session.v1 import events_pb2 as session_events
from cortex.session.v1.resources_pb2 import Attendance, Session
from cortex.session.v1.resources_pb2 import Message as Said
from cortex.transcriber.v1 import events_pb2 as transcriber_events
from google.protobuf.message import Message

Event = TypeVar("Event", bound=Message)

STREAMS: Mapping[str, str] = {"identity": "IDENTITY", "session": "SESSION", "transcriber": "TRANSCRIBER"}
"""The stream of each service."""

CLASSES: Mapping[str, type[Message]] = {
    descriptor.full_name: getattr(module, name)
    for module in (identity_events, session_events, transcriber_events)
    for name, descriptor in module.DESCRIPTOR.message_types_by_name.items()
}


class Published(NamedTuple):
    """A message on a service's stream."""

    id: str
    position: int
    previous_position: int
    topic: str
    data: bytes


@dataclass(frozen=True)
class Evidence:
    """Everything that one project's callers can find out, and the whole stores and streams behind it.

    Attributes:
        stores: the events of each service.
        streams: the messages of each service's stream.
        followed: the ids of the project's events as an outside consumer received them meanwhile, by service.
        participants: as ListParticipants gives them.
        sessions: as ListSessions gives them.
        messages: of each session in which somebody spoke, as ListMessages gives them.
        attendance: of each session in which somebody spoke, as ListAttendance gives it.
        parked: what readers have set aside, as `service reader position`.
    """

    stores: Mapping[str, Sequence[RecordedEvent]]
    streams: Mapping[str, Sequence[Published]]
    followed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    participants: Sequence[Participant] = ()
    sessions: Sequence[Session] = ()
    messages: Mapping[str, Sequence[Said]] = field(default_factory=dict)
    attendance: Mapping[str, Sequence[Attendance]] = field(default_factory=dict)
    parked: Sequence[str] = ()

    def events(self, service: str, kind: type[Event], project_id: str) -> Iterator[tuple[RecordedEvent, Event]]:
        """The project's events of one kind, in the order of the store."""
        for recorded in self.stores[service]:
            if recorded.topic == kind.DESCRIPTOR.full_name and recorded.project_id == project_id:
                yield recorded, kind.FromString(recorded.data)


def published(recorded: RecordedEvent) -> Published:
    """A stored event as it should stand on the stream."""
    return Published(recorded.id, recorded.position, recorded.previous_position, recorded.topic, recorded.data)
