import uuid
from datetime import UTC, datetime, timedelta

import pytest
from cortex.common.v1.claim_pb2 import CLAIM_UNVERIFIED
from cortex.transcriber.v1.events_pb2 import SpeakerJoined, SpeakerLeft, UtteranceTranscribed
from cortex_eventing.reactions import IGNORE, PARK, request_of
from cortex_eventing.times import span, stamp
from cortex_session.domain.commands import NoteJoined, NoteLeft, Speaker, StoreUtterance, Words
from cortex_session.domain.errors import NeverJoined, SessionHasEnded, SessionNotFound
from cortex_session.domain.ids import SessionId, message_of_event, message_of_utterance
from cortex_session.reactions.follow_speakers import FOLLOW_SPEAKERS
from cortex_testkit.read_models import recorded
from google.protobuf.message import Message

pytestmark = pytest.mark.unit

SPOKEN = datetime(2026, 11, 21, 10, 0, 3, tzinfo=UTC)
ID = SessionId(uuid.UUID(int=1))
ADA = Speaker(str(uuid.UUID(int=2)), "u-1", "Ada", "peer-1", CLAIM_UNVERIFIED)
PERSON = {"participant_id": ADA.participant_id, "external_user_id": "u-1", "display_name": "Ada"}
UTTERANCE = UtteranceTranscribed(
    session_id=str(ID),
    utterance_id="utterance-1",
    peer_id="peer-1",
    **PERSON,
    claim=CLAIM_UNVERIFIED,
    text="hello there",
    started_at=stamp(SPOKEN),
    start_offset=span(timedelta(seconds=3)),
    end_offset=span(timedelta(seconds=4)),
    confidence=0.5,
    language="en",
    model="moonshine-tiny",
)
JOINED = SpeakerJoined(session_id=str(ID), peer_id="peer-1", **PERSON, claim=CLAIM_UNVERIFIED, joined_at=stamp(SPOKEN))
LEFT = SpeakerLeft(session_id=str(ID), peer_id="peer-1", participant_id=ADA.participant_id, left_at=stamp(SPOKEN))


def command_after(event: Message) -> object:
    request = request_of(FOLLOW_SPEAKERS, recorded(event))
    assert request is not None
    return request.command


def test_an_utterance_becomes_a_message() -> None:
    """What was heard is stored as it was heard; the message's id derives from the utterance's."""
    assert command_after(UTTERANCE) == StoreUtterance(
        message_id=message_of_utterance("utterance-1"),
        session_id=ID,
        speaker=ADA,
        words=Words("hello there", "utterance-1", 0.5, "en", "moonshine-tiny"),
        started_at=SPOKEN,
        start_offset=timedelta(seconds=3),
        end_offset=timedelta(seconds=4),
    )


def test_when_it_was_heard_goes_with_it() -> None:
    """The transcriber's clock stands beside the bot's; events of older releases do not tell."""
    heard = UtteranceTranscribed()
    heard.CopyFrom(UTTERANCE)
    heard.heard_at.CopyFrom(stamp(SPOKEN - timedelta(minutes=10)))
    told, untold = command_after(heard), command_after(UTTERANCE)
    assert isinstance(told, StoreUtterance)
    assert isinstance(untold, StoreUtterance)
    assert (told.started_at, told.heard_at) == (SPOKEN, SPOKEN - timedelta(minutes=10))
    assert untold.heard_at is None


def test_a_peer_that_comes_is_noted() -> None:
    """The note's id derives from the event, so that a repeat is the same note."""
    raw = recorded(JOINED).raw
    assert command_after(JOINED) == NoteJoined(ID, ADA, SPOKEN, raw.recorded_at, message_of_event(raw.event_id))


def test_a_peer_that_goes_is_noted() -> None:
    """Leaving names peer and participant; the name comes from their joining."""
    note_id = message_of_event(recorded(LEFT).raw.event_id)
    assert command_after(LEFT) == NoteLeft(ID, ADA.participant_id, "peer-1", SPOKEN, note_id)


def test_every_refusal_has_a_rule() -> None:
    """What comes after the end is dropped; a session that nobody knows is looked at by somebody."""
    assert [FOLLOW_SPEAKERS.rule(refusal) for refusal in (SessionHasEnded(), NeverJoined(), SessionNotFound())] == [
        IGNORE,
        IGNORE,
        PARK,
    ]


def test_the_name_never_changes() -> None:
    """Checkpoint and request ids derive from it: another name would do everything again."""
    assert FOLLOW_SPEAKERS.name == "follow-speakers"
