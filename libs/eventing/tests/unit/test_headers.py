import dataclasses
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cortex_eventing.adapters.nats.headers import (
    NotAnEvent,
    encoded,
    headers_in,
    lines_of_event,
    lines_of_type,
    recorded_bytes,
)
from cortex_eventing.adapters.nats.messages import Envelopes
from cortex_eventing.adapters.nats.reader import stream_sequence
from cortex_eventing.catalogue import Catalogue
from cortex_eventing.recorded import Origin, RecordedBytes
from cortex_testkit.event_log import PROJECT
from cortex_testkit.messages import UNHURRIED
from cortex_testkit.sample_events import BoxFilled, BoxOpened
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.unit

CATALOGUE = Catalogue((BoxOpened, BoxFilled))
EVENT = RecordedBytes(
    event_id=uuid.UUID(int=7),
    position=12,
    previous_position=10,
    topic="cortex_testkit.sample.v1.BoxFilled",
    aggregate_id=uuid.UUID(int=9),
    version=3,
    recorded_at=datetime(2026, 11, 3, 12, 0, 0, 5, tzinfo=UTC),
    origin=Origin(PROJECT, "key-1", "together", "cause", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03"),
    data=BoxFilled(box_id="box-1", amount=3).SerializeToString(),
    data_owner="participant-1",
)


GOOD = Envelopes(CATALOGUE, "boxes").of(EVENT).headers


def test_the_envelope_is_cloudevents() -> None:
    """An outside consumer needs no library of ours to read it."""
    envelope = Envelopes(CATALOGUE, "boxes").of(EVENT)
    assert envelope.subject == f"cortex.v1.{PROJECT}.box.box-1.box.filled"
    assert envelope.body == EVENT.data
    assert envelope.headers == {
        "ce-specversion": "1.0",
        "ce-id": str(EVENT.event_id),
        "ce-type": "box.filled",
        "ce-source": "/cortex/boxes",
        "ce-subject": "box:box-1",
        "ce-time": "2026-11-03T12:00:00.000005Z",
        "ce-datacontenttype": "application/protobuf",
        "ce-dataschema": "protobuf:cortex_testkit.sample.v1.BoxFilled",
        "ce-tenantid": "_",
        "ce-projectid": PROJECT,
        "ce-position": "12",
        "ce-previousposition": "10",
        "ce-aggregateid": str(EVENT.aggregate_id),
        "ce-aggregateversion": "3",
        "ce-correlationid": "together",
        "ce-causationid": "cause",
        "ce-actor": "key-1",
        "ce-dataowner": "participant-1",
        "traceparent": EVENT.origin.traceparent,
    }


def test_what_is_empty_is_left_out() -> None:
    """An event of no project, by nobody, about nobody."""
    bare = dataclasses.replace(EVENT, origin=Origin(""), data_owner="")
    headers = Envelopes(CATALOGUE, "boxes").of(bare).headers
    assert not {"ce-projectid", "ce-actor", "ce-correlationid", "ce-dataowner", "traceparent"} & headers.keys()
    assert recorded_bytes(headers, bare.data) == bare


def test_the_message_has_no_id_for_the_broker() -> None:
    """With one, a refill would be taken for repeats of deleted messages."""
    assert "Nats-Msg-Id" not in Envelopes(CATALOGUE, "boxes").of(EVENT).headers


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@UNHURRIED
@given(TEXT, TEXT, TEXT, TEXT, st.datetimes(timezones=st.just(timezone(timedelta(hours=3)))))
def test_it_comes_back_as_it_was(actor: str, correlation: str, owner: str, resource: str, time: datetime) -> None:
    """Whatever characters the attributes hold, all of them travel as printable ASCII."""
    event = dataclasses.replace(
        EVENT, origin=Origin(PROJECT, actor, correlation, "", ""), data_owner=owner, recorded_at=time
    )
    lines = lines_of_type(CATALOGUE.of(EVENT.topic), "/cortex/boxes") + lines_of_event(event, f"box:{resource}")
    headers = headers_in(lines)
    assert all(value.isascii() and value.isprintable() and " " not in value for value in headers.values())
    assert recorded_bytes(headers, event.data) == event


@pytest.mark.parametrize(("value", "expected"), [("a b", "a%20b"), ('"', "%22"), ("50%", "50%25"), ("ü~", "%C3%BC~")])
def test_values_are_percent_encoded(value: str, expected: str) -> None:
    """As the binding of CloudEvents to NATS says."""
    assert encoded(value) == expected


@pytest.mark.parametrize("headers", [None, {}, {"ce-id": "1"}, {**GOOD, "ce-position": "one"}])
def test_another_message_is_no_event(headers: dict[str, str] | None) -> None:
    """Somebody may publish on our subjects."""
    with pytest.raises(NotAnEvent):
        recorded_bytes(headers, b"")


@pytest.mark.parametrize(
    "reply", ["$JS.ACK.BOXES.reader.1.57.3.1700000000.0", "$JS.ACK.hub.HASH.BOXES.reader.1.57.3.1700000000.0.x"]
)
def test_the_sequence_is_found_with_and_without_a_domain(reply: str) -> None:
    """JetStream with a domain puts two tokens more into the reply subject."""
    assert stream_sequence(reply) == 57
