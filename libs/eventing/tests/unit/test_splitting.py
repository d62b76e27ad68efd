import pytest
from cortex.identity.v1 import events_pb2 as identity
from cortex_eventing.options import descriptor_of, is_personal, is_private
from cortex_eventing.splitting import split
from cortex_testkit.messages import UNHURRIED, messages
from cortex_testkit.sample_events import BoxOpened
from google.protobuf.message import Message
from hypothesis import given

pytestmark = pytest.mark.unit


@UNHURRIED
@given(messages(BoxOpened))
def test_opening_is_concatenation(event: Message) -> None:
    """The bytes of the parts, one after the other, parse as the message that was split, whatever it holds."""
    whole = event.SerializeToString()
    parts = split(event)
    assert BoxOpened.FromString(parts.payload + parts.sealed + parts.private) == event
    assert event.SerializeToString() == whole, "splitting changed the message"


@UNHURRIED
@given(messages(identity.ParticipantUpdated))
def test_opening_a_nested_profile_is_concatenation(event: Message) -> None:
    """The same holds for a contract of ours whose personal fields lie in sub-messages beside repeated fields."""
    parts = split(event)
    assert identity.ParticipantUpdated.FromString(parts.payload + parts.sealed + parts.private) == event


@UNHURRIED
@given(messages(BoxOpened))
def test_each_part_holds_only_its_own(event: Message) -> None:
    """Nothing personal or private is in the payload, and nothing but that is in the other two."""
    parts = split(event)
    assert _marks(BoxOpened.FromString(parts.payload)) <= {"plain"}
    assert _marks(BoxOpened.FromString(parts.sealed)) <= {"personal"}
    assert _marks(BoxOpened.FromString(parts.private)) <= {"private"}


def _marks(message: Message) -> set[str]:
    """What kinds of fields are set in a message; sub-messages count by what is in them."""
    found = set()
    for field, value in message.ListFields():
        if is_personal(field):
            found.add("personal")
        elif is_private(field):
            found.add("private")
        elif field.message_type is not None and not field.is_repeated:
            found |= _marks(value)
        else:
            found.add("plain")
    return found


def test_an_unmarked_message_stays_whole() -> None:
    """An event without marked fields is all payload."""
    event = identity.ParticipantUpdated(participant_id="p", changed_fields=["email"])
    parts = split(event)
    assert (parts.sealed, parts.private) == (b"", b"")
    assert parts.payload == event.SerializeToString()
    assert descriptor_of(type(event)).full_name == "cortex.identity.v1.ParticipantUpdated"
