"""Station 3: what a service's events are called everywhere, derived from the options on their messages."""

from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

from cortex_eventing.contract_rules import BrokenContract, violations
from cortex_eventing.errors import CortexError
from cortex_eventing.options import descriptor_of, event_options, is_data_owner, is_resource_id
from cortex_eventing.recorded import Recorded, RecordedBytes
from cortex_eventing.splitting import split
from cortex_eventing.subjects import SubjectParts, entity_filters


class UnknownTopic(CortexError):
    """An event is of a type that this version of the service does not know."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"no event is called {topic}")
        self.topic = topic


@dataclass(frozen=True)
class EventType:
    """One type of event and its names.

    Attributes:
        topic: the full name of its protobuf message; what the store calls it.
        resource: the kind of resource it is about.
        entity: what changed; belongs to exactly one service.
        verb: what happened to it.
        message_class: the generated class.
        resource_id_field: the field that holds the resource's id.
        data_owner_field: the field that names the participant whose data it holds, or an empty string.
        type: the CloudEvents type.
    """

    topic: str
    resource: str
    entity: str
    verb: str
    message_class: type[Message]
    resource_id_field: str
    data_owner_field: str
    type: str

    def resource_id(self, message: Message) -> str:
        """The id of the resource that the event is about."""
        return str(getattr(message, self.resource_id_field))

    def data_owner(self, message: Message) -> str:
        """The participant whose personal data the event holds, or an empty string."""
        return str(getattr(message, self.data_owner_field)) if self.data_owner_field else ""


def _event_type(message_class: type[Message]) -> EventType:
    """What a generated class is called; it obeys `contract_rules`."""
    descriptor = descriptor_of(message_class)
    options = event_options(descriptor)
    return EventType(
        topic=descriptor.full_name,
        resource=options.resource,
        entity=options.entity,
        verb=options.verb,
        message_class=message_class,
        resource_id_field=next(field.name for field in descriptor.fields if is_resource_id(field)),
        data_owner_field=next((field.name for field in descriptor.fields if is_data_owner(field)), ""),
        type=options.type,
    )


@dataclass(frozen=True)
class Parts:
    """An event as the store keeps it.

    Attributes:
        payload: the message without its personal and private fields.
        sealed: the personal fields alone; empty when there are none.
        private: the fields that never leave the service; empty when there are none.
        seal_subject: whose key seals it, `participant:<id>`; empty when nothing is sealed.
        data_owner: the participant whose personal data it holds, or an empty string.
    """

    payload: bytes
    sealed: bytes
    private: bytes
    seal_subject: str
    data_owner: str


class Catalogue:
    """The event types of one service, or of several whose events somebody reads.

    Raises:
        BrokenContract: the options on the messages cannot work; says what is wrong with each.
    """

    def __init__(self, events: Sequence[type[Message]]) -> None:
        broken = violations(events)
        if broken:
            raise BrokenContract("; ".join(broken))
        self._types = {event.DESCRIPTOR.full_name: _event_type(event) for event in events}

    def all(self) -> Sequence[EventType]:
        """Every type, in the order given."""
        return tuple(self._types.values())

    def __contains__(self, topic: object) -> bool:
        return topic in self._types

    def of(self, topic: str) -> EventType:
        """The type that the store calls `topic`.

        Raises:
            UnknownTopic: there is none.
        """
        try:
            return self._types[topic]
        except KeyError:
            raise UnknownTopic(topic) from None

    def type_of(self, message: Message) -> EventType:
        """The type of a message.

        Raises:
            UnknownTopic: it is not one of these events.
        """
        return self.of(message.DESCRIPTOR.full_name)

    def parse(self, raw: RecordedBytes) -> Recorded[Message]:
        """A stored event with its message parsed.

        Raises:
            UnknownTopic: it is not one of these events.
        """
        return Recorded(self.of(raw.topic).message_class.FromString(raw.data), raw)

    def split(self, message: Message) -> Parts:
        """What the store keeps of a message.

        Raises:
            UnknownTopic: it is not one of these events.
        """
        event_type = self.type_of(message)
        parts = split(message)
        owner = event_type.data_owner(message)
        seal_subject = f"participant:{owner}" if parts.sealed else ""
        return Parts(parts.payload, parts.sealed, parts.private, seal_subject, owner)

    def filters(self) -> tuple[str, ...]:
        """The subjects of the stream that holds these events."""
        return entity_filters(event_type.entity for event_type in self.all())


def subject(project_id: str, event_type: EventType, resource_id: str) -> str:
    """The subject that an event is published on.

    Raises:
        InvalidInput: the project or the resource id is not a single token.
    """
    return str(SubjectParts(project_id, event_type.resource, resource_id, event_type.entity, event_type.verb))
