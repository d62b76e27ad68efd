import uuid
from datetime import UTC, datetime

import pytest
from cortex.identity.v1 import events_pb2 as identity
from cortex.session.v1 import events_pb2 as session
from cortex_eventing.catalogue import Catalogue, UnknownTopic, subject
from cortex_eventing.contract_rules import BrokenContract
from cortex_eventing.errors import InvalidInput
from cortex_eventing.event_ids import event_id
from cortex_eventing.recorded import Origin, RecordedBytes
from cortex_eventing.subjects import SubjectParts, parse_subject
from cortex_testkit.sample_events import BoxFilled, BoxOpened

pytestmark = pytest.mark.unit

PROJECT = "0198a1f0-0000-7000-8000-000000000001"
SESSION = "0198a1f0-0000-7000-8000-000000000002"


def test_names_derive_from_the_options() -> None:
    """Topic, subject tokens and CloudEvents type of an event come from its message alone."""
    message_created = Catalogue([session.MessageCreated]).of("cortex.session.v1.MessageCreated")
    assert (message_created.resource, message_created.entity, message_created.verb) == ("session", "message", "created")
    assert message_created.type == "message.created"
    event = session.MessageCreated(session_id=SESSION, participant_id="p1")
    assert message_created.resource_id(event) == SESSION
    assert message_created.data_owner(event) == "p1"


def test_an_unknown_topic_is_named() -> None:
    """Asking for a type that is not in the catalogue says which."""
    with pytest.raises(UnknownTopic, match=r"some\.Thing"):
        Catalogue([BoxFilled]).of("some.Thing")
    assert "some.Thing" not in Catalogue([BoxFilled])


def test_subjects_have_seven_tokens() -> None:
    """An event's subject names project, resource, its id, entity and verb; no project is an underscore."""
    opened = Catalogue([BoxOpened]).all()[0]
    assert subject(PROJECT, opened, "b-1") == f"cortex.v1.{PROJECT}.box.b-1.box.opened"
    assert subject("", opened, "b-1") == "cortex.v1._.box.b-1.box.opened"


@pytest.mark.parametrize("bad", ["", "a.b", "*", ">", "a b", "ä", "a\n"])
def test_an_id_cannot_widen_a_subject(bad: str) -> None:
    """An id that is not one plain token is refused where the subject is built."""
    with pytest.raises(InvalidInput, match="resource id"):
        subject(PROJECT, Catalogue([BoxOpened]).all()[0], bad)
    with pytest.raises(InvalidInput, match="resource id"):
        str(SubjectParts(PROJECT, "box", bad, "box", "opened"))


def test_a_subject_can_be_taken_apart() -> None:
    """Parsing a subject gives back what it was built from, and foreign subjects are refused."""
    for project in (PROJECT, ""):
        parts = SubjectParts(project, "box", "b-1", "box", "opened")
        assert parse_subject(str(parts)) == parts
    for foreign in ("cortex.live.a.b.c", "other.v1.a.b.c.d.e", "cortex.v1.a.b.c.d"):
        with pytest.raises(ValueError, match="not the subject"):
            parse_subject(foreign)


def test_a_stream_has_one_filter_per_entity() -> None:
    """The subjects of a service's stream follow from the entities that its events name."""
    catalogue = Catalogue([session.SessionCreated, session.SessionEnded, session.MessageCreated])
    assert catalogue.filters() == ("cortex.v1.*.*.*.message.*", "cortex.v1.*.*.*.session.*")


def test_a_stored_event_is_parsed() -> None:
    """The bytes of a stored event become its message again, with where it came from beside it."""
    raw = RecordedBytes(
        event_id=uuid.UUID(int=1),
        position=5,
        previous_position=4,
        topic=BoxFilled.DESCRIPTOR.full_name,
        aggregate_id=uuid.UUID(int=2),
        version=2,
        recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
        origin=Origin(PROJECT),
        data=BoxFilled(box_id="b-1", amount=3).SerializeToString(),
    )
    recorded = Catalogue([BoxFilled]).parse(raw)
    assert recorded.event == BoxFilled(box_id="b-1", amount=3)
    assert (recorded.position, recorded.project_id) == (5, PROJECT)


def test_a_seal_names_its_owner_only_where_something_is_sealed() -> None:
    """The subject of a seal is the data's owner; an event without personal data has no seal."""
    catalogue = Catalogue([BoxOpened])
    assert catalogue.split(BoxOpened(box_id="b", owner_id="o", owner_name="x")).seal_subject == "participant:o"
    bare = catalogue.split(BoxOpened(box_id="b", owner_id="o"))
    assert (bare.seal_subject, bare.data_owner) == ("", "o")


def test_event_ids_are_derived() -> None:
    """An event's id depends on its aggregate and version alone, so that every copy of it has the same one."""
    aggregate = uuid.UUID("0198a1f0-0000-7000-8000-000000000003")
    assert event_id(aggregate, 1) == event_id(aggregate, 1)
    assert len({event_id(aggregate, version) for version in range(1, 50)}) == 49
    assert event_id(aggregate, 1) == uuid.UUID("12c3505e-0c82-5f29-b77a-33664181b2e1")


def test_a_catalogue_refuses_what_is_no_event() -> None:
    """A message without the event option cannot be put into a catalogue."""
    with pytest.raises(BrokenContract, match="no event option"):
        Catalogue([identity.ParticipantProfile])
