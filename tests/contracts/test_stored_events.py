"""What was ever stored can be read: by its aggregate, by its read models, and as the event that it was."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cortex_eventing.catalogue import Catalogue
from cortex_eventing.decider import Decider
from cortex_eventing.read_model import ReadModel
from cortex_eventing.stored_form import open_for_its_aggregate
from cortex_identity import derived as identity
from cortex_identity.domain.decisions import PARTICIPANTS
from cortex_session import derived as session
from cortex_session.domain.attendance import ATTENDANCES
from cortex_session.domain.messages import MESSAGES
from cortex_session.domain.sessions import SESSIONS
from cortex_testkit.populated import populated
from cortex_testkit.read_models import rows_after
from cortex_transcriber import wiring as transcriber
from cortex_transcriber.domain.decisions import SPEAKER
from cortex_transcriber.read_models.open_speakers import OPEN_SPEAKERS
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

pytestmark = pytest.mark.contracts

GOLDEN = json.loads((Path(__file__).parent / "golden" / "stored_events.json").read_text())
CATALOGUES = (identity.EVENTS, session.EVENTS, transcriber.EVENTS)
DECIDERS: tuple[Decider[Any, Any, Any], ...] = (PARTICIPANTS, SESSIONS, MESSAGES, ATTENDANCES, SPEAKER)
READ_MODELS: tuple[ReadModel[Any], ...] = (
    *identity.PARTICIPANT_LIST.read_models,
    *session.ROOMS.read_models,
    OPEN_SPEAKERS,
)


class Stored(NamedTuple):
    entry: dict[str, Any]
    event: Message


def stored(*events: type[Message]) -> Iterator[Stored]:
    """Every stored version of these event types, opened as its aggregate opens it."""
    topics = {event.DESCRIPTOR.full_name for event in events}
    for entry in GOLDEN:
        if entry["topic"] in topics:
            state = base64.b64decode(entry["state"])
            _, event = open_for_its_aggregate(_catalogue_of(entry["topic"]), entry["topic"], state)
            yield Stored(entry, event)


def _catalogue_of(topic: str) -> Catalogue:
    return next(catalogue for catalogue in CATALOGUES if topic in catalogue)


def as_dict(event: Message) -> dict[str, Any]:
    return MessageToDict(event, preserving_proto_field_name=True)


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=["identity", "session", "transcriber"])
def test_each_stored_version_opens_as_what_it_was(catalogue: Catalogue) -> None:
    """No field of an event ever stored is lost or read as another."""
    found = list(stored(*(event_type.message_class for event_type in catalogue.all())))
    assert found
    assert [as_dict(event) for _, event in found] == [entry["event"] for entry, _ in found]


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=["identity", "session", "transcriber"])
def test_todays_form_of_each_event_is_kept(catalogue: Catalogue) -> None:
    """An event that gained a field has its new form in the golden file: scripts/golden.py adds it."""
    for event_type in catalogue.all():
        today = as_dict(populated(event_type.message_class))
        assert today in [entry["event"] for entry, _ in stored(event_type.message_class)], event_type.topic


@pytest.mark.parametrize("decider", DECIDERS, ids=lambda decider: decider.name)
def test_each_stored_version_folds(decider: Decider[Any, Any, Any]) -> None:
    """An aggregate whose events are of any age has a state."""
    first, *later = decider.events
    for beginning in stored(first):
        assert decider.fold([beginning.event]) is not None
        for following in stored(*later):
            assert decider.fold([beginning.event, following.event]) is not None


@pytest.mark.parametrize("read_model", READ_MODELS, ids=lambda read_model: read_model.table)
def test_each_stored_version_is_projected(read_model: ReadModel[Any]) -> None:
    """A read model can be rebuilt from events of any age."""
    first, *later = read_model.listens_to
    for beginning in stored(first):
        assert rows_after(read_model, beginning.event)
        for following in stored(*later):
            rows_after(read_model, beginning.event, following.event)
