import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cortex.common.v1.claim_pb2 import CLAIM_UNVERIFIED
from cortex.session.v1.events_pb2 import MessageCreated
from cortex.session.v1.resources_pb2 import MESSAGE_TYPE_SYSTEM, MESSAGE_TYPE_USER
from cortex_eventing.errors import NotFound, WrongState
from cortex_eventing.testing import situations
from cortex_eventing.times import span, stamp
from cortex_session.domain.commands import Speaker, StoreNote, StoreUtterance, Words
from cortex_session.domain.ids import SessionId, message_of_event, message_of_utterance
from cortex_session.domain.messages import MESSAGES
from cortex_session.domain.session import Room, Session

pytestmark = pytest.mark.unit

given = situations(MESSAGES)
ZERO = datetime(2026, 11, 21, 10, tzinfo=UTC)
SPOKEN = ZERO + timedelta(seconds=3)
ID = SessionId(uuid.UUID("018f0000-0000-7000-8000-00000000005e"))
SESSION = Session(str(ID), Room("cortex://rooms", "lobby-7"), "", timedelta(0), ZERO, 1)
ADA = Speaker("018f0000-0000-7000-8000-00000000000a", "u-1", "Ada", "peer-1", CLAIM_UNVERIFIED)
UTTERANCE = StoreUtterance(
    message_id=message_of_utterance("utterance-1"),
    session_id=ID,
    speaker=ADA,
    words=Words("hello there", "utterance-1", 0.5, "en", "moonshine-tiny"),
    started_at=SPOKEN,
    start_offset=timedelta(seconds=3),
    end_offset=timedelta(seconds=4),
    session=SESSION,
)
NOTE = StoreNote(message_of_event(uuid.UUID(int=7)), ID, ADA, "Ada joined", SPOKEN, SESSION)
STORED = MessageCreated(
    session_id=str(ID),
    message_id=str(UTTERANCE.message_id),
    type=MESSAGE_TYPE_USER,
    participant_id=ADA.participant_id,
    external_user_id="u-1",
    sender_name="Ada",
    content="hello there",
    timestamp=stamp(SPOKEN),
    start_offset=span(timedelta(seconds=3)),
    end_offset=span(timedelta(seconds=4)),
    peer_id="peer-1",
    claim=CLAIM_UNVERIFIED,
    confidence=0.5,
    language="en",
    model="moonshine-tiny",
    utterance_id="utterance-1",
)


def ended(at: datetime) -> Session:
    return replace(SESSION, ended_at=at)


class WhenTheSessionIsActive:
    def test_an_utterance_becomes_a_message(self) -> None:
        """Everything that was heard is kept, attributed to who spoke."""
        given().when(UTTERANCE).then(STORED)

    def test_the_same_utterance_again_changes_nothing(self) -> None:
        """An event that is delivered twice is one message."""
        given(STORED).when(UTTERANCE).then_nothing()

    def test_the_system_speaks_under_its_own_name(self) -> None:
        """A note says whom it is about, and has no length."""
        given().when(NOTE).then(
            MessageCreated(
                session_id=str(ID),
                message_id=str(NOTE.message_id),
                type=MESSAGE_TYPE_SYSTEM,
                participant_id=ADA.participant_id,
                external_user_id="u-1",
                sender_name="[System]",
                content="Ada joined",
                timestamp=stamp(SPOKEN),
                start_offset=span(timedelta(seconds=3)),
                end_offset=span(timedelta(seconds=3)),
                peer_id="peer-1",
                claim=CLAIM_UNVERIFIED,
            )
        )

    @pytest.mark.parametrize(
        ("display_name", "external_user_id", "expected"),
        [("Ada", "u-1", "Ada"), ("", "u-1", "u-1"), ("", "", "Guest")],
    )
    def test_a_sender_always_has_a_name(self, display_name: str, external_user_id: str, expected: str) -> None:
        """The best name there is: the display name, else the integrator's id, else that of a guest."""
        speaker = replace(ADA, display_name=display_name, external_user_id=external_user_id)
        decision = MESSAGES.decide(replace(UTTERANCE, speaker=speaker), None)
        assert [event.sender_name for event in decision.events] == [expected]


class WhenTheSessionHasEnded:
    @pytest.mark.parametrize("ended_at", [SPOKEN, SPOKEN + timedelta(milliseconds=1)])
    def test_what_began_before_the_end_is_stored(self, ended_at: datetime) -> None:
        """Nobody loses the sentence that they were in the middle of."""
        given().when(replace(UTTERANCE, session=ended(ended_at))).then(STORED)

    @pytest.mark.parametrize("heard_after", [timedelta(minutes=-10), timedelta(0)])
    def test_a_fast_clock_of_the_bot_loses_nothing(self, heard_after: timedelta) -> None:
        """What was heard before the end was said before the end, whatever the bot says."""
        end = SPOKEN - timedelta(minutes=10)
        fast = replace(UTTERANCE, heard_at=end + heard_after, session=ended(end))
        given().when(fast).then(STORED)

    def test_what_was_resent_after_the_end_is_stored(self) -> None:
        """The bot held it while nobody heard it: when it was said counts."""
        late = replace(UTTERANCE, heard_at=SPOKEN + timedelta(minutes=1), session=ended(SPOKEN))
        given().when(late).then(STORED)

    @pytest.mark.parametrize("heard_at", [None, SPOKEN])
    def test_what_began_after_the_end_by_both_clocks_is_refused(self, heard_at: datetime | None) -> None:
        """Nobody is recorded after the end, whether or not the transcriber tells when it heard it."""
        late = replace(UTTERANCE, heard_at=heard_at, session=ended(SPOKEN - timedelta(milliseconds=1)))
        given().when(late).then_refused(WrongState, reason="SESSION_ENDED", field="session_id")


class WhenTheSessionIsUnknown:
    @pytest.mark.parametrize("command", [UTTERANCE, NOTE])
    def test_nothing_is_stored(self, command: StoreUtterance | StoreNote) -> None:
        """No session, no messages."""
        given().when(replace(command, session=None)).then_refused(
            NotFound, reason="SESSION_NOT_FOUND", field="session_id"
        )


def test_derived_ids_never_change() -> None:
    """A message that was stored by an older release is met again, not stored twice."""
    assert str(message_of_utterance("utterance-1")) == "709e754b-744f-59cb-bc81-805695e76061"
    assert str(message_of_event(uuid.UUID(int=7))) == "6913e50b-1801-505a-8b83-58e7e40b6583"
