import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cortex.session.v1.events_pb2 import BotStatusChanged, SessionCreated, SessionEnded
from cortex.session.v1.resources_pb2 import (
    BOT_STATUS_FAILED,
    BOT_STATUS_JOINING,
    BOT_STATUS_REQUESTED,
    BOT_STATUS_UNSPECIFIED,
    END_REASON_STOPPED,
    BotStatus,
)
from cortex_eventing.errors import AlreadyExists, Impossible, NotFound, WrongState
from cortex_eventing.testing import situations
from cortex_eventing.times import span, stamp
from cortex_session.domain.claims import room_claim
from cortex_session.domain.commands import CreateSession, Plan, StartSession, StopSession
from cortex_session.domain.ids import SessionId
from cortex_session.domain.session import Room
from cortex_session.domain.sessions import SESSIONS

pytestmark = pytest.mark.unit

given = situations(SESSIONS)
ZERO = datetime(2026, 11, 21, 10, tzinfo=UTC)
LATER = ZERO + timedelta(minutes=5)
ID = SessionId(uuid.UUID("018f0000-0000-7000-8000-00000000005e"))
ROOM = Room("cortex://rooms", "lobby-7")
CLAIM = room_claim(ROOM, str(ID))
CREATED = SessionCreated(
    session_id=str(ID),
    external_room_id="lobby-7",
    gateway="cortex://rooms",
    title="Raid",
    idle_timeout=span(timedelta(minutes=10)),
    created_at=stamp(ZERO),
    language="de-CH",
)
ENDED = SessionEnded(session_id=str(ID), reason=END_REASON_STOPPED, ended_at=stamp(LATER))
PLAN = Plan("Raid", timedelta(minutes=10), auto_start=False, language="de-CH")
CREATE = CreateSession(ID, ROOM, PLAN, ZERO)
START = StartSession(ID, LATER)
STOP = StopSession(ID, LATER)


def bot(status: BotStatus.ValueType, previous: BotStatus.ValueType, at: datetime = LATER) -> BotStatusChanged:
    return BotStatusChanged(session_id=str(ID), status=status, previous_status=previous, changed_at=stamp(at))


REQUESTED = bot(BOT_STATUS_REQUESTED, BOT_STATUS_UNSPECIFIED)


class WhenNew:
    def test_is_created_and_takes_its_room(self) -> None:
        """The room is held for as long as the session is active."""
        given().when(CREATE).then(CREATED, taken=[CLAIM])

    def test_asks_the_bot_to_join_at_once(self) -> None:
        """Starting automatically is the same as starting at the moment of creation."""
        given().when(replace(CREATE, plan=replace(PLAN, auto_start=True))).then(
            CREATED, bot(BOT_STATUS_REQUESTED, BOT_STATUS_UNSPECIFIED, ZERO), taken=[CLAIM]
        )

    def test_without_a_time_out_never_ends_itself(self) -> None:
        """A time-out of zero is none, and is not written down."""
        session = given().when(replace(CREATE, plan=replace(PLAN, idle_timeout=timedelta(0)))).state_after()
        assert session is not None
        assert session.idle_timeout == timedelta(0)

    @pytest.mark.parametrize("command", [START, STOP])
    def test_cannot_be_started_or_stopped(self, command: StartSession | StopSession) -> None:
        """A missing session and a foreign one answer alike."""
        given().when(command).then_refused(NotFound, reason="SESSION_NOT_FOUND", field="session_id")

    def test_cannot_end_before_it_began(self) -> None:
        """A store that says so is damaged, and is not believed."""
        with pytest.raises(Impossible):
            given(ENDED)


class WhenActive:
    def test_starts_by_asking_the_bot(self) -> None:
        """Start, by hand, only asks the bot to join."""
        given(CREATED).when(START).then(REQUESTED)

    @pytest.mark.parametrize("status", [BOT_STATUS_REQUESTED, BOT_STATUS_JOINING])
    def test_starting_again_changes_nothing(self, status: BotStatus.ValueType) -> None:
        """A bot that is on its way is not asked twice."""
        given(CREATED, bot(status, BOT_STATUS_UNSPECIFIED)).when(START).then_nothing()

    def test_starts_anew_after_the_bot_failed(self) -> None:
        """Asking again is how somebody makes good for a bot that could not join."""
        failed = bot(BOT_STATUS_FAILED, BOT_STATUS_REQUESTED)
        given(CREATED, REQUESTED, failed).when(START).then(bot(BOT_STATUS_REQUESTED, BOT_STATUS_FAILED))

    def test_remembers_when_it_first_started(self) -> None:
        """The start time is that of the first request."""
        failed = bot(BOT_STATUS_FAILED, BOT_STATUS_REQUESTED)
        again = StartSession(ID, LATER + timedelta(minutes=1))
        session = given(CREATED, REQUESTED, failed).when(again).state_after()
        assert session is not None
        assert session.started_at == LATER

    def test_ends_and_gives_the_room_back(self) -> None:
        """Ending records why, and the room is free for the next session."""
        given(CREATED).when(STOP).then(ENDED, released=[CLAIM])

    def test_never_ends_before_it_began(self) -> None:
        """A clock that was set back does not make a session of negative length."""
        early = StopSession(ID, ZERO - timedelta(hours=1))
        session = given(CREATED).when(early).state_after()
        assert session is not None
        assert session.ended_at == ZERO

    def test_cannot_be_created_again(self) -> None:
        """An id is given once."""
        given(CREATED).when(CREATE).then_refused(AlreadyExists)


class WhenEnded:
    def test_ending_again_changes_nothing(self) -> None:
        """Two stops, by hand and by time-out, may race: the second is no error, and takes nobody's room."""
        given(CREATED, ENDED).when(STOP).then_nothing()

    def test_never_starts_again(self) -> None:
        """An ended session is over for ever."""
        given(CREATED, ENDED).when(START).then_refused(WrongState, reason="SESSION_ENDED", field="session_id")

    def test_counts_its_changes(self) -> None:
        """Each event is a version, and so an etag."""
        session = given(CREATED, REQUESTED).when(STOP).state_after()
        assert session is not None
        assert session.version == 3


def test_rooms_that_read_alike_are_different_rooms() -> None:
    """Gateway and room are told apart however they are cut."""
    assert room_claim(Room("a://b", "c"), "x").value != room_claim(Room("a://", "bc"), "x").value
