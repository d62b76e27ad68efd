"""Read models folded on plain values: events in, rows out, without a database."""

import uuid
from datetime import UTC, datetime
from typing import TypeVar

from cortex_eventing.event_ids import event_id
from cortex_eventing.options import descriptor_of
from cortex_eventing.read_model import Key, ReadModel
from cortex_eventing.recorded import Origin, Recorded, RecordedBytes
from google.protobuf.message import Message

PROJECT_OF_ROWS = uuid.UUID("018f0000-0000-7000-8000-0000000000ff")
STORED_AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

Row = TypeVar("Row")
Event = TypeVar("Event", bound=Message)


def recorded(event: Event, position: int = 1) -> Recorded[Event]:
    """An event as it stands in a store, at a position, the first of an aggregate of its own."""
    aggregate = uuid.uuid5(uuid.NAMESPACE_OID, f"aggregate {position}")
    raw = RecordedBytes(
        event_id=event_id(aggregate, 1),
        position=position,
        previous_position=position - 1,
        topic=descriptor_of(type(event)).full_name,
        aggregate_id=aggregate,
        version=1,
        recorded_at=STORED_AT,
        origin=Origin(str(PROJECT_OF_ROWS)),
        data=event.SerializeToString(),
    )
    return Recorded(event, raw)


def rows_after(read_model: ReadModel[Row], *events: Message) -> list[Row]:
    """The rows after these events, stored at the positions 1, 2, 3 and so on, in the order of their keys."""
    rows: dict[Key, Row] = {}
    for position, event in enumerate(events, start=1):
        if type(event) in read_model.listens_to:
            _apply(read_model, rows, recorded(event, position))
    return [rows[key] for key in sorted(rows, key=str)]


def _apply(read_model: ReadModel[Row], rows: dict[Key, Row], event: Recorded[Message]) -> None:
    key = read_model.key_of(event)
    if key is None:
        return
    row = read_model.project(rows.get(key), event)
    if row is None:
        rows.pop(key, None)
    else:
        assert read_model.key_in(row) == key, "the row carries another key than its event"  # noqa: S101
        rows[key] = row
