"""Station 3: what a row of the store holds of an event, and how it is opened again."""

import uuid
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import NamedTuple

from cortex.store.v1.stored_event_pb2 import StoredEvent
from google.protobuf.message import Message

from cortex_eventing.catalogue import Catalogue
from cortex_eventing.event_ids import event_id
from cortex_eventing.recorded import Origin, RecordedBytes
from cortex_eventing.times import time_of


class StoredRow(NamedTuple):
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
    at_hand = {
        "position": position,
        "previous_position": previous_position,
        "topic": row.topic,
        "aggregate_id": row.aggregate_id,
        "version": row.version,
        "data": stored.payload + stored.sealed,
        "data_owner": stored.data_owner,
        "project_id": stored.project_id,
    }
    return RecordedBytes.completed_late(at_hand, partial(_worked_out, row, stored))


def _worked_out(row: StoredRow, stored: StoredEvent, name: str) -> object:
    return _LATE[name](row, stored)


def _origin(_: StoredRow, stored: StoredEvent) -> Origin:
    return Origin(stored.project_id, stored.actor, stored.correlation_id, stored.causation_id, stored.traceparent)


_LATE: dict[str, Callable[[StoredRow, StoredEvent], object]] = {
    "event_id": lambda row, _: event_id(row.aggregate_id, row.version),
    "recorded_at": lambda _, stored: time_of(stored.recorded_at),
    "origin": _origin,
}


def open_for_its_aggregate(catalogue: Catalogue, topic: str, state: bytes) -> tuple[str, Message]:
    """The project and the whole event of a row, private fields included.

    Raises:
        UnknownTopic: the event is not in the catalogue.
    """
    stored = StoredEvent.FromString(state)
    whole = stored.payload + stored.sealed + stored.private
    return stored.project_id, catalogue.of(topic).message_class.FromString(whole)
