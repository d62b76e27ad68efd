"""Station 3: what a row of the store holds of an event, and how it is opened again."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from cortex.store.v1.stored_event_pb2 import StoredEvent
from google.protobuf.message import Message

from cortex_eventing.catalogue import Catalogue
from cortex_eventing.event_ids import event_id
from cortex_eventing.recorded import Origin, RecordedBytes


@dataclass(frozen=True)
class StoredRow:
    """One row of the store, without its position.

    Attributes:
        topic: the full name of the event's message.
        state: a serialized `cortex.store.v1.StoredEvent`.
    """

    aggregate_id: uuid.UUID
    version: int
    topic: str
    state: bytes


def state_of(catalogue: Catalogue, event: Message, origin: Origin, recorded_at: datetime) -> tuple[str, bytes]:
    """The topic and state columns of an event's row.

    Raises:
        UnknownTopic: the event is not in the catalogue.
    """
    parts = catalogue.split(event)
    stored = StoredEvent(
        project_id=origin.project_id,
        actor=origin.actor,
        correlation_id=origin.correlation_id,
        causation_id=origin.causation_id,
        traceparent=origin.traceparent,
        payload=parts.payload,
        sealed=parts.sealed,
        seal_subject=parts.seal_subject,
        private=parts.private,
        data_owner=parts.data_owner,
    )
    stored.recorded_at.FromDatetime(recorded_at)
    return event.DESCRIPTOR.full_name, stored.SerializeToString()


def open_for_others(row: StoredRow, position: int, previous_position: int) -> RecordedBytes:
    """A row as it may leave the service: without private fields."""
    stored = StoredEvent.FromString(row.state)
    return RecordedBytes(
        event_id=event_id(row.aggregate_id, row.version),
        position=position,
        previous_position=previous_position,
        topic=row.topic,
        aggregate_id=row.aggregate_id,
        version=row.version,
        recorded_at=stored.recorded_at.ToDatetime(tzinfo=UTC),
        origin=Origin(
            project_id=stored.project_id,
            actor=stored.actor,
            correlation_id=stored.correlation_id,
            causation_id=stored.causation_id,
            traceparent=stored.traceparent,
        ),
        data=stored.payload + stored.sealed,
        data_owner=stored.data_owner,
    )


def open_for_its_aggregate(catalogue: Catalogue, topic: str, state: bytes) -> tuple[str, Message]:
    """The project and the whole event of a row, private fields included.

    Raises:
        UnknownTopic: the event is not in the catalogue.
    """
    stored = StoredEvent.FromString(state)
    whole = stored.payload + stored.sealed + stored.private
    return stored.project_id, catalogue.of(topic).message_class.FromString(whole)
