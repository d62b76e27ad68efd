import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cortex.common.v1.claim_pb2 import CLAIM_UNVERIFIED
from cortex.session.v1.events_pb2 import ParticipantJoined, ParticipantLeft
from cortex_eventing.errors import Impossible, NotFound, WrongState
from cortex_eventing.testing import situations
from cortex_eventing.times import stamp
from cortex_session.domain.attendance import ATTENDANCES
from cortex_session.domain.commands import NoteJoined, NoteLeft, Speaker
from cortex_session.domain.ids import SessionId, message_of_event
from cortex_session.domain.notes import note_about
from cortex_session.domain.session import Room, Session

pytestmark = pytest.mark.unit

given = situations(ATTENDANCES)
ZERO = datetime(2026, 11, 21, 10, tzinfo=UTC)
CAME = ZERO + timedelta(seconds=3)
WENT = ZERO + timedelta(minutes=3)
ID = SessionId(uuid.UUID("018f0000-0000-7000-8000-00000000005e"))
SESSION = Session(str(ID), Room("cortex://rooms", "lobby-7"), "", timedelta(0), ZERO, 1)
ADA = Speaker("018f0000-0000-7000-8000-00000000000a", "u-1", "Ada", "phone", CLAIM_UNVERIFIED)
NOTE = message_of_event(uuid.UUID(int=7))
JOIN = NoteJoined(ID, ADA, CAME, CAME, NOTE, SESSION)
LEAVE = NoteLeft(ID, ADA.participant_id, "phone", WENT, NOTE, SESSION)
LEFT = ParticipantLeft(session_id=str(ID), participant_id=ADA.participant_id, peer_id="phone", left_at=stamp(WENT))


def joined(peer_id: str) -> ParticipantJoined:
    return ParticipantJoined(
        session_id=str(ID),
        participant_id=ADA.participant_id,
        external_user_id="u-1",
        display_name="Ada",
        peer_id=peer_id,
        claim=CLAIM_UNVERIFIED,
        joined_at=stamp(CAME),
    )


class WhenAway:
    def test_a_peer_comes(self) -> None:
        """Who comes is written down with the name and the claim of that moment."""
        given().when(JOIN).then(joined("phone"))

    def test_nobody_comes_after_the_end(self) -> None:
        """An ended session has no new attendance."""
        over = replace(SESSION, ended_at=CAME - timedelta(seconds=1))
        given().when(replace(JOIN, session=over)).then_refused(WrongState, reason="SESSION_ENDED", field="session_id")

    def test_a_fast_clock_of_the_bot_keeps_nobody_out(self) -> None:
        """Whose coming was stored before the end came before the end, whatever the bot says."""
        fast = replace(JOIN, stored_at=CAME - timedelta(minutes=10))
        over = replace(SESSION, ended_at=CAME - timedelta(minutes=9))
        given().when(replace(fast, session=over)).then(joined("phone"))

    def test_nobody_comes_into_nothing(self) -> None:
        """No session, no attendance."""
        given().when(replace(JOIN, session=None)).then_refused(NotFound, reason="SESSION_NOT_FOUND", field="session_id")

    def test_who_never_came_cannot_leave(self) -> None:
        """Their join was refused, and so is their leaving."""
        given().when(LEAVE).then_refused(NotFound, reason="NEVER_JOINED")

    def test_comes_back(self) -> None:
        """A peer that left may come again: a second visit."""
        given(joined("phone"), LEFT).when(JOIN).then(joined("phone"))

    def test_leaving_again_changes_nothing(self) -> None:
        """An event that is delivered twice is one leaving."""
        given(joined("phone"), LEFT).when(LEAVE).then_nothing()

    def test_did_not_leave_before_coming(self) -> None:
        """A store that says so is damaged, and is not believed."""
        with pytest.raises(Impossible):
            given(LEFT)


class WhenThere:
    def test_the_same_peer_is_counted_once(self) -> None:
        """An event that is delivered twice is one visit."""
        given(joined("phone")).when(JOIN).then_nothing()

    def test_a_second_device_is_another_visit_of_the_same_person(self) -> None:
        """Two devices are two peers and one participant."""
        laptop = replace(JOIN, speaker=replace(ADA, peer_id="laptop"))
        given(joined("phone")).when(laptop).then(joined("laptop"))

    def test_leaves(self) -> None:
        """Leaving is taken whenever it happens: also after the session's end the visit must have one."""
        over = replace(SESSION, ended_at=CAME)
        given(joined("phone")).when(replace(LEAVE, session=over)).then(LEFT)

    def test_the_other_device_stays(self) -> None:
        """One peer's leaving is not another's."""
        ada = given(joined("phone"), joined("laptop")).when(LEAVE).state_after()
        assert ada is not None
        assert ada.present == {"laptop"}


class WhenTheSystemSaysSo:
    def test_it_names_who_joined(self) -> None:
        """The note is about the participant, at the moment of joining."""
        note = note_about(JOIN, None)
        assert (note.text, note.speaker, note.at, note.session) == ("Ada joined", ADA, CAME, SESSION)

    def test_it_names_who_left_as_they_joined(self) -> None:
        """The event of leaving carries no name: the name is that of the join, never looked up later."""
        note = note_about(LEAVE, ATTENDANCES.fold([joined("phone")]))
        assert (note.text, note.speaker, note.at) == ("Ada left", ADA, WENT)

    def test_a_nameless_guest_is_called_so(self) -> None:
        """Nobody reads an empty name."""
        guest = replace(JOIN, speaker=replace(ADA, display_name="", external_user_id=""))
        assert note_about(guest, None).text == "Guest joined"
