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
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final
from urllib.parse import quote, unquote

from cortex_eventing.catalogue import EventType
from cortex_eventing.recorded import Origin, RecordedBytes

POSITION: Final = "ce-position"
PREVIOUS_POSITION: Final = "ce-previousposition"
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


def lines_of_type(event_type: EventType, source: str) -> str:
    """The header lines that all events of one type have in common.

    Args:
        event_type: the type.
        source: the service that they come from, as a URI reference.
    """
    return _lines(
        ("ce-specversion", "1.0"),
        ("ce-type", event_type.type),
        ("ce-source", source),
        ("ce-datacontenttype", "application/protobuf"),
        ("ce-dataschema", SCHEMA_SCHEME + event_type.topic),
        ("ce-tenantid", NO_TENANT),
    )


def lines_of_event(raw: RecordedBytes, subject: str) -> str:
    """The header lines of one event, beside those of its type.

    Args:
        raw: the event.
        subject: `<resource>:<id>`, what it is about.
    """
    origin = raw.origin
    # One string and no mapping: this is half of what an event costs its relay, beside reading it.
    lines = (
        f"{EVENT_ID}: {raw.event_id}\r\n{POSITION}: {raw.position}\r\n{PREVIOUS_POSITION}: {raw.previous_position}\r\n"
        f"ce-aggregateid: {raw.aggregate_id}\r\nce-aggregateversion: {raw.version}\r\n"
        f"ce-subject: {encoded(subject)}\r\nce-time: {_timestamp(raw.recorded_at)}\r\n"
    )
    return lines + _lines(
        ("ce-projectid", origin.project_id),
        ("ce-correlationid", origin.correlation_id),
        ("ce-causationid", origin.causation_id),
        ("ce-actor", origin.actor),
        ("ce-dataowner", raw.data_owner),
        ("traceparent", origin.traceparent),
    )


def _lines(*headers: tuple[str, str]) -> str:
    """Headers as lines; what is empty is left out."""
    return "".join([f"{name}: {encoded(value)}\r\n" for name, value in headers if value])


def headers_in(lines: str) -> dict[str, str]:
    """Header lines as a mapping."""
    return dict(line.split(": ", 1) for line in lines.splitlines())


class NotAnEvent(ValueError):
    """A message lacks what makes it an event of ours, or holds it in another form."""


def recorded_bytes(headers: Mapping[str, str] | None, body: bytes) -> RecordedBytes:
    """The event that a message carries. What few readers look at is parsed when they do.

    Raises:
        NotAnEvent: it carries none.
    """
    found = headers or {}
    if not found.keys() >= _NEEDED:
        raise NotAnEvent("headers are missing")
    try:
        at_hand = {
            "position": int(found[POSITION]),
            "previous_position": int(found[PREVIOUS_POSITION]),
            "topic": found["ce-dataschema"].removeprefix(SCHEMA_SCHEME),
            "version": int(found["ce-aggregateversion"]),
            "data": body,
            "data_owner": _decoded(found, "ce-dataowner"),
        }
    except ValueError as error:
        raise NotAnEvent("a number is none") from error
    return RecordedBytes.completed_late(at_hand, partial(_parsed, found))


def _parsed(headers: Mapping[str, str], name: str) -> object:
    return _LATE[name](headers)


def _origin(headers: Mapping[str, str]) -> Origin:
    return Origin(
        project_id=_decoded(headers, "ce-projectid"),
        actor=_decoded(headers, "ce-actor"),
        correlation_id=_decoded(headers, "ce-correlationid"),
        causation_id=_decoded(headers, "ce-causationid"),
        traceparent=_decoded(headers, "traceparent"),
    )


_LATE: Mapping[str, Callable[[Mapping[str, str]], object]] = {
    "event_id": lambda headers: uuid.UUID(headers[EVENT_ID]),
    "aggregate_id": lambda headers: uuid.UUID(headers["ce-aggregateid"]),
    "recorded_at": lambda headers: datetime.fromisoformat(headers["ce-time"]),
    "origin": _origin,
}
_NEEDED = {EVENT_ID, POSITION, PREVIOUS_POSITION, "ce-dataschema", "ce-aggregateid", "ce-aggregateversion", "ce-time"}


def _decoded(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "")
    return unquote(value) if "%" in value else value


def _timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, with microseconds."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(timespec="microseconds").replace("+00:00", "Z")
