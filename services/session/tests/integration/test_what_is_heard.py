"""From the transcriber's events to messages and attendance."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, timedelta

import pytest
from cortex.common.v1.claim_pb2 import CLAIM_UNVERIFIED
from cortex.session.v1.resources_pb2 import MESSAGE_TYPE_SYSTEM, MESSAGE_TYPE_USER, Attendance, Message, Session
from cortex.session.v1.session_service_pb2 import (
    CreateSessionRequest,
    ListAttendanceRequest,
    ListMessagesRequest,
    StopSessionRequest,
)
from cortex.session.v1.session_service_pb2_grpc import SessionServiceStub
from cortex_eventing.times import time_of
from cortex_testkit.refusals import Refusal, refusal_of
from cortex_testkit.scripted_transcriber import Room, ScriptedTranscriber, participant_of
from cortex_testkit.waiting import eventually
from grpc import StatusCode

pytestmark = pytest.mark.integration

NOT_FOUND = Refusal(StatusCode.NOT_FOUND, "SESSION_NOT_FOUND", ("session_id",))


@pytest.fixture
async def session(sessions: SessionServiceStub, project: str) -> Session:
    """An active session."""
    request = CreateSessionRequest(project_id=project, external_room_id="lobby", gateway="cortex://rooms.example")
    return (await sessions.CreateSession(request)).session


@pytest.fixture
def room(transcriber: ScriptedTranscriber, session: Session) -> Room:
    """What is heard in its room."""
    return transcriber.room(session.project_id, session.id, time_of(session.create_time))


def named(session: Session) -> dict[str, str]:
    return {"project_id": session.project_id, "session_id": session.id}


async def messages(sessions: SessionServiceStub, session: Session, **fields: object) -> list[Message]:
    request = ListMessagesRequest(**{**named(session), **fields})  # type: ignore[arg-type]
    return list((await sessions.ListMessages(request)).messages)


async def attendance(sessions: SessionServiceStub, session: Session) -> list[Attendance]:
    return list((await sessions.ListAttendance(ListAttendanceRequest(**named(session)))).attendances)


def counted(count: int, ask: Callable[[], Awaitable[list[Message]]]) -> Callable[[], Awaitable[list[Message]]]:
    """What is asked for, once there are so many."""

    async def look() -> list[Message]:
        found = await ask()
        return found if len(found) == count else []

    return look


async def test_an_utterance_becomes_an_attributed_message(
    sessions: SessionServiceStub, session: Session, room: Room
) -> None:
    """Every field is there: who, what, when, through which peer, how sure and by which model."""
    await room.says("Ada", "hello there", seconds=3, peer_id="phone")
    (message,) = await eventually(lambda: messages(sessions, session))
    assert (message.session_id, message.type) == (session.id, MESSAGE_TYPE_USER)
    assert (message.participant_id, message.external_user_id) == (participant_of("Ada"), "u-Ada")
    assert (message.sender_name, message.content) == ("Ada", "hello there")
    assert time_of(message.timestamp) == time_of(session.create_time) + timedelta(seconds=3)
    assert (message.start_offset.ToTimedelta(), message.end_offset.ToTimedelta()) == (
        timedelta(seconds=3),
        timedelta(seconds=4),
    )
    assert (message.peer_id, message.claim, message.confidence) == ("phone", CLAIM_UNVERIFIED, 0.75)
    assert (message.language, message.model) == ("en", "scripted")
    assert message.utterance_id


async def test_the_same_utterance_is_one_message(sessions: SessionServiceStub, session: Session, room: Room) -> None:
    """What the transcriber says twice is stored once; what comes behind it shows that both were seen."""
    await room.says("Ada", "hello", seconds=1)
    await room.says("Ada", "hello", seconds=1)
    await room.says("Ada", "goodbye", seconds=5)

    async def both() -> list[str]:
        texts = [message.content for message in await messages(sessions, session)]
        return texts if "goodbye" in texts else []

    assert await eventually(both) == ["hello", "goodbye"]


async def test_messages_are_in_speaking_order(sessions: SessionServiceStub, session: Session, room: Room) -> None:
    """Whoever spoke first comes first, however late it was heard; pages and filters keep the order."""
    for seconds in (9, 2, 7, 4, 1):
        await room.says("Ada" if seconds % 2 else "Bob", f"at {seconds}", seconds=seconds)
    everything = await eventually(counted(5, lambda: messages(sessions, session)))
    assert [message.content for message in everything] == ["at 1", "at 2", "at 4", "at 7", "at 9"]

    request = ListMessagesRequest(**named(session), page_size=2)
    paged: list[Message] = []
    while True:
        page = await sessions.ListMessages(request)
        paged += page.messages
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert paged == everything
    of_bob = await messages(sessions, session, participant_id=participant_of("Bob"))
    assert [message.content for message in of_bob] == ["at 2", "at 4"]


async def test_people_come_and_go(sessions: SessionServiceStub, session: Session, room: Room) -> None:
    """Attendance shows who was there, from when to when, by which peers, and whether they spoke."""
    await room.joins("Ada", "phone", seconds=1)
    await room.joins("Bob", "tablet", seconds=2)
    await room.joins("Ada", "laptop", seconds=3)
    await room.says("Bob", "hello", seconds=4)
    await room.leaves("Ada", "phone", seconds=5)
    await room.leaves("Ada", "laptop", seconds=6)

    async def all_seen() -> list[Attendance]:
        found = await attendance(sessions, session)
        return found if len(found) == 2 and found[0].HasField("leave_time") and found[1].spoke else []

    ada, bob = await eventually(all_seen)
    zero = time_of(session.create_time)
    assert (ada.display_name, ada.external_user_id, ada.spoke) == ("Ada", "u-Ada", False)
    assert [(visit.peer_id, visit.claim) for visit in ada.visits] == [
        ("phone", CLAIM_UNVERIFIED),
        ("laptop", CLAIM_UNVERIFIED),
    ]
    assert [ada.leave_time.ToDatetime(tzinfo=UTC) - zero, ada.join_time.ToDatetime(tzinfo=UTC) - zero] == [
        timedelta(seconds=6),
        timedelta(seconds=1),
    ]
    assert (bob.display_name, bob.HasField("leave_time")) == ("Bob", False)

    page = await sessions.ListAttendance(ListAttendanceRequest(**named(session), page_size=1))
    rest = ListAttendanceRequest(**named(session), page_size=1, page_token=page.next_page_token)
    assert [*page.attendances, *(await sessions.ListAttendance(rest)).attendances] == [ada, bob]


async def test_the_system_says_who_comes_and_goes(sessions: SessionServiceStub, session: Session, room: Room) -> None:
    """Once for each coming and going, under its own name, about the participant."""
    await room.joins("Ada", "phone", seconds=1)
    await room.joins("Ada", "phone", seconds=1)
    await room.says("Ada", "hello", seconds=2)
    await room.leaves("Ada", "phone", seconds=3)
    await room.leaves("Ada", "phone", seconds=4)
    await room.says("Ada", "over", seconds=5)
    everything = await eventually(counted(4, lambda: messages(sessions, session)))
    assert [(message.sender_name, message.content) for message in everything] == [
        ("[System]", "Ada joined"),
        ("Ada", "hello"),
        ("[System]", "Ada left"),
        ("Ada", "over"),
    ]
    notes = await messages(sessions, session, type=MESSAGE_TYPE_SYSTEM)
    assert [(note.participant_id, note.type, note.utterance_id) for note in notes] == [
        (participant_of("Ada"), MESSAGE_TYPE_SYSTEM, "")
    ] * 2


async def test_what_began_before_the_end_is_stored_and_nothing_later(
    sessions: SessionServiceStub, session: Session, room: Room
) -> None:
    """The end of a session cuts nobody's sentence, and nobody is recorded after it."""
    ended = (await sessions.StopSession(StopSessionRequest(**named(session)))).session
    length = (time_of(ended.end_time) - time_of(ended.create_time)).total_seconds()
    await room.says("Ada", "too late", seconds=length + 0.001)
    await room.joins("Bob", "tablet", seconds=length + 1)
    await room.leaves("Bob", "tablet", seconds=length + 2)
    await room.says("Ada", "in time", seconds=length)
    await eventually(lambda: messages(sessions, session))
    assert [message.content for message in await messages(sessions, session)] == ["in time"]
    assert await attendance(sessions, session) == []


async def test_a_bot_with_a_fast_clock_loses_no_words(
    sessions: SessionServiceStub, transcriber: ScriptedTranscriber, session: Session
) -> None:
    """Ten minutes ahead, and the session ends right after: what was heard by then is stored, and nothing later."""
    ended = (await sessions.StopSession(StopSessionRequest(**named(session)))).session
    zero, ahead = time_of(ended.create_time), timedelta(minutes=10)
    length = (time_of(ended.end_time) - zero).total_seconds()
    room = transcriber.room(session.project_id, session.id, zero, bot_ahead=ahead)
    await room.joins("Ada", "phone", seconds=0)
    await room.says("Ada", "too late", seconds=length + 0.001, peer_id="phone")
    await room.says("Ada", "in time", seconds=length, peer_id="phone")
    everything = await eventually(counted(2, lambda: messages(sessions, session)))
    assert [message.content for message in everything] == ["Ada joined", "in time"]
    assert time_of(everything[1].timestamp) == time_of(ended.end_time) + ahead
    (ada,) = await attendance(sessions, session)
    assert (ada.participant_id, ada.spoke) == (participant_of("Ada"), True)


async def test_an_unknown_session_stops_nobody_else(
    sessions: SessionServiceStub, transcriber: ScriptedTranscriber, session: Session, room: Room
) -> None:
    """Its events are set aside, lane by lane; others go on. So are those that name another project's session."""
    nowhere = transcriber.room(session.project_id, str(uuid.uuid4()), time_of(session.create_time))
    elsewhere = transcriber.room(str(uuid.uuid4()), str(uuid.uuid4()), time_of(session.create_time))
    await nowhere.says("Eve", "hello")
    await elsewhere.joins("Eve", "phone")
    await room.says("Ada", "hello")
    assert [message.sender_name for message in await eventually(lambda: messages(sessions, session))] == ["Ada"]


async def test_another_projects_session_does_not_exist(sessions: SessionServiceStub, session: Session) -> None:
    """Neither its messages nor its attendance."""
    foreign = {"project_id": str(uuid.uuid4()), "session_id": session.id}
    assert await refusal_of(sessions.ListMessages(ListMessagesRequest(**foreign))) == NOT_FOUND
    assert await refusal_of(sessions.ListAttendance(ListAttendanceRequest(**foreign))) == NOT_FOUND


async def test_a_token_of_another_session_is_refused(
    sessions: SessionServiceStub, project: str, session: Session, room: Room
) -> None:
    """A token goes with the query that it was given for."""
    await room.says("Ada", "one", seconds=1)
    await room.says("Ada", "two", seconds=2)
    await eventually(counted(2, lambda: messages(sessions, session)))
    token = (await sessions.ListMessages(ListMessagesRequest(**named(session), page_size=1))).next_page_token
    request = CreateSessionRequest(project_id=project, external_room_id="other", gateway="cortex://rooms.example")
    other = (await sessions.CreateSession(request)).session
    refusal = await refusal_of(sessions.ListMessages(ListMessagesRequest(**named(other), page_token=token)))
    assert refusal == Refusal(StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_MISMATCH", ("page_token",))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"project_id": "me"}, "project_id"),
        ({"session_id": "me"}, "session_id"),
        ({"page_size": -1}, "page_size"),
        ({"page_token": "!"}, "page_token"),
        ({"type": 7}, "type"),
        ({"participant_id": "me"}, "participant_id"),
        ({"min_position": -1}, "min_position"),
    ],
)
async def test_bad_lists_of_messages_name_their_field(
    sessions: SessionServiceStub, session: Session, fields: dict[str, object], field: str
) -> None:
    """A clear status that names the field."""
    request = ListMessagesRequest(**{**named(session), **fields})  # type: ignore[arg-type]
    refusal = await refusal_of(sessions.ListMessages(request))
    assert (refusal.code, refusal.fields) == (StatusCode.INVALID_ARGUMENT, (field,))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"project_id": "me"}, "project_id"),
        ({"session_id": "me"}, "session_id"),
        ({"page_size": -1}, "page_size"),
        ({"page_token": "!"}, "page_token"),
        ({"min_position": -1}, "min_position"),
    ],
)
async def test_bad_lists_of_attendance_name_their_field(
    sessions: SessionServiceStub, session: Session, fields: dict[str, object], field: str
) -> None:
    """A clear status that names the field."""
    request = ListAttendanceRequest(**{**named(session), **fields})  # type: ignore[arg-type]
    refusal = await refusal_of(sessions.ListAttendance(request))
    assert (refusal.code, refusal.fields) == (StatusCode.INVALID_ARGUMENT, (field,))
