"""An event as a message: CloudEvents in NATS binary mode, the body being the event's protobuf message.

Beside the attributes of CloudEvents 1.0 stand extensions of ours: `ce-tenantid`, `ce-projectid`, `ce-position`,
`ce-previousposition`, `ce-correlationid`, `ce-causationid`, `ce-dataowner`, and what a reader needs to have the same
event from the stream as from the feed: `ce-aggregateid`, `ce-aggregateversion`, `ce-actor`, and in `ce-dataschema` the
full name of the protobuf message. What is empty is left out. There is no `Nats-Msg-Id`: the server remembers ids of
deleted messages, so that a refill would be taken for repeats.

Values are percent-encoded as the CloudEvents HTTP binding says: everything outside U+0021 to U+007E, and space,
quotation mark and percent sign.
"""

import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, unquote

from cortex_eventing.catalogue import EventType
from cortex_eventing.recorded import Origin, RecordedBytes

POSITION: Final = "ce-position"
EVENT_ID: Final = "ce-id"

NO_TENANT = "_"
"""Until keys name tenants, every event belongs to this one."""

SCHEMA_SCHEME = "protobuf:"
"""Before the message's full name, so that `ce-dataschema` is a URI."""

_NEEDS_ENCODING = re.compile(r"[^!#$&-~]")
_KEPT = "!#$&'()*+,-./:;<=>?@[\\]^_`{|}~"


def encoded(value: str) -> str:
    """A value as it stands in a header."""
    return quote(value, safe=_KEPT) if _NEEDS_ENCODING.search(value) else value


def headers_of(raw: RecordedBytes, event_type: EventType, source: str, resource_id: str) -> dict[str, str]:
    """The headers of an event's message.

    Args:
        raw: the event.
        event_type: its type.
        source: the service that it comes from, as a URI reference.
        resource_id: of the resource that it is about.
    """
    headers = {
        "ce-specversion": "1.0",
        EVENT_ID: str(raw.event_id),
        "ce-type": event_type.type,
        "ce-source": source,
        "ce-subject": encoded(f"{event_type.resource}:{resource_id}"),
        "ce-time": _timestamp(raw.recorded_at),
        "ce-datacontenttype": "application/protobuf",
        "ce-dataschema": SCHEMA_SCHEME + raw.topic,
        "ce-tenantid": NO_TENANT,
        POSITION: str(raw.position),
        "ce-previousposition": str(raw.previous_position),
        "ce-aggregateid": str(raw.aggregate_id),
        "ce-aggregateversion": str(raw.version),
    }
    origin = raw.origin
    for name, value in (
        ("ce-projectid", origin.project_id),
        ("ce-correlationid", origin.correlation_id),
        ("ce-causationid", origin.causation_id),
        ("ce-actor", origin.actor),
        ("ce-dataowner", raw.data_owner),
        ("traceparent", origin.traceparent),
    ):
        if value:
            headers[name] = encoded(value)
    return headers


class NotAnEvent(ValueError):
    """A message lacks what makes it an event of ours, or holds it in another form."""


def recorded_bytes(headers: Mapping[str, str] | None, body: bytes) -> RecordedBytes:
    """The event that a message carries.

    Raises:
        NotAnEvent: it carries none.
    """
    found = headers or {}
    try:
        return RecordedBytes(
            event_id=uuid.UUID(found[EVENT_ID]),
            position=int(found[POSITION]),
            previous_position=int(found["ce-previousposition"]),
            topic=found["ce-dataschema"].removeprefix(SCHEMA_SCHEME),
            aggregate_id=uuid.UUID(found["ce-aggregateid"]),
            version=int(found["ce-aggregateversion"]),
            recorded_at=datetime.fromisoformat(found["ce-time"]),
            origin=_origin(found),
            data=body,
            data_owner=_decoded(found, "ce-dataowner"),
        )
    except (KeyError, ValueError) as error:
        raise NotAnEvent(type(error).__name__) from error


def _origin(headers: Mapping[str, str]) -> Origin:
    return Origin(
        project_id=_decoded(headers, "ce-projectid"),
        actor=_decoded(headers, "ce-actor"),
        correlation_id=_decoded(headers, "ce-correlationid"),
        causation_id=_decoded(headers, "ce-causationid"),
        traceparent=_decoded(headers, "traceparent"),
    )


def _decoded(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "")
    return unquote(value) if "%" in value else value


def _timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
