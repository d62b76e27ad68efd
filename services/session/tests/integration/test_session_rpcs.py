import asyncio
import uuid
from datetime import timedelta

import pytest
from cortex.common.v1.feed_pb2 import ReadEventsRequest
from cortex.session.v1.resources_pb2 import (
    BOT_STATUS_REQUESTED,
    BOT_STATUS_UNSPECIFIED,
    END_REASON_STOPPED,
    SESSION_STATUS_ACTIVE,
    SESSION_STATUS_ENDED,
    Session,
)
from cortex.session.v1.session_service_pb2 import (
    CreateSessionRequest,
    CreateSessionResponse,
    GetSessionRequest,
    ListSessionsRequest,
    StartSessionRequest,
    StopSessionRequest,
)
from cortex.session.v1.session_service_pb2_grpc import SessionServiceStub
from cortex_testkit.refusals import Refusal, refusal_of
from google.protobuf.duration_pb2 import Duration
from grpc import StatusCode

pytestmark = pytest.mark.integration

ROOM = {"external_room_id": "lobby-7", "gateway": "cortex://rooms.example"}
NOT_FOUND = Refusal(StatusCode.NOT_FOUND, "SESSION_NOT_FOUND", ("session_id",))


async def create(sessions: SessionServiceStub, project: str, **fields: object) -> CreateSessionResponse:
    return await sessions.CreateSession(CreateSessionRequest(**{"project_id": project, **ROOM, **fields}))  # type: ignore[arg-type]


def named(session: Session) -> dict[str, str]:
    return {"project_id": session.project_id, "session_id": session.id}


async def test_a_session_is_created_active_and_started(sessions: SessionServiceStub, project: str) -> None:
    """The answer holds everything that was said, and is what Get and List say."""
    answer = await create(sessions, project, title="Raid", idle_timeout=Duration(seconds=600), language="de-CH")
    session = answer.session
    assert (session.project_id, session.external_room_id, session.gateway) == (project, *ROOM.values())
    assert (session.title, session.idle_timeout.ToTimedelta()) == ("Raid", timedelta(minutes=10))
    assert session.language == "de-CH"
    assert (session.status, session.bot_status) == (SESSION_STATUS_ACTIVE, BOT_STATUS_REQUESTED)
    assert session.start_time == session.create_time
    assert not session.HasField("end_time")
    assert await sessions.GetSession(GetSessionRequest(**named(session))) == session
    listed = await sessions.ListSessions(ListSessionsRequest(project_id=project, min_position=answer.position))
    assert list(listed.sessions) == [session]


@pytest.mark.parametrize("language", ["english!", "e", "en_GB", "en-", "x" * 9, "en" + "-abcdefgh" * 4])
async def test_what_is_no_language_is_refused(sessions: SessionServiceStub, project: str, language: str) -> None:
    """A tag is checked where it is said: a model is chosen by it much later."""
    refusal = await refusal_of(create(sessions, project, language=language))
    assert (refusal.code, refusal.fields) == (StatusCode.INVALID_ARGUMENT, ("language",))


async def test_a_session_may_be_started_by_hand(sessions: SessionServiceStub, project: str) -> None:
    """Starting asks the bot to join, once."""
    created = (await create(sessions, project, auto_start=False)).session
    assert created.bot_status == BOT_STATUS_UNSPECIFIED
    assert not created.HasField("start_time")
    started = (await sessions.StartSession(StartSessionRequest(**named(created)))).session
    assert started.bot_status == BOT_STATUS_REQUESTED
    assert started.HasField("start_time")
    assert (await sessions.StartSession(StartSessionRequest(**named(created)))).session == started


async def test_a_session_is_stopped_for_ever(sessions: SessionServiceStub, project: str) -> None:
    """It says why and when; stopping again changes nothing, and it never starts again."""
    created = (await create(sessions, project)).session
    ended = (await sessions.StopSession(StopSessionRequest(**named(created)))).session
    assert (ended.status, ended.end_reason) == (SESSION_STATUS_ENDED, END_REASON_STOPPED)
    assert ended.end_time.ToDatetime() >= ended.create_time.ToDatetime()
    assert (await sessions.StopSession(StopSessionRequest(**named(created)))).session == ended
    refusal = await refusal_of(sessions.StartSession(StartSessionRequest(**named(created))))
    assert refusal == Refusal(StatusCode.FAILED_PRECONDITION, "SESSION_ENDED", ("session_id",))


async def test_ten_sessions_for_one_room_at_once_are_one(sessions: SessionServiceStub, project: str) -> None:
    """The others are told that the room is taken, and nothing of theirs is stored."""
    outcomes = await asyncio.gather(*(create(sessions, project) for _ in range(10)), return_exceptions=True)
    made = [outcome for outcome in outcomes if isinstance(outcome, CreateSessionResponse)]
    assert len(made) == 1
    refusal = await refusal_of(create(sessions, project))
    assert refusal == Refusal(StatusCode.ALREADY_EXISTS, "ROOM_TAKEN", ("external_room_id",))
    listed = await sessions.ListSessions(ListSessionsRequest(project_id=project, min_position=made[0].position))
    assert [session.id for session in listed.sessions] == [made[0].session.id]


async def test_an_ended_session_gives_its_room_back(sessions: SessionServiceStub, project: str) -> None:
    """The next session of the room is another one; rooms of other gateways and projects are other rooms."""
    first = (await create(sessions, project)).session
    await create(sessions, project, gateway="cortex://elsewhere.example")
    await create(sessions, str(uuid.uuid4()))
    await sessions.StopSession(StopSessionRequest(**named(first)))
    assert (await create(sessions, project)).session.id != first.id


async def test_the_same_request_twice_is_done_once(sessions: SessionServiceStub, project: str) -> None:
    """A reply that was lost is asked for again; another body under the same id is an error."""
    request_id = str(uuid.uuid4())
    first = await create(sessions, project, request_id=request_id)
    assert await create(sessions, project, request_id=request_id) == first
    refusal = await refusal_of(create(sessions, project, request_id=request_id, title="other"))
    assert refusal == Refusal(StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED", ("request_id",))


async def test_a_repeat_of_a_creation_never_opens_a_second_session(sessions: SessionServiceStub, project: str) -> None:
    """Also when the first one has ended meanwhile: the answer is that one, as it is now."""
    request_id = str(uuid.uuid4())
    first = await create(sessions, project, request_id=request_id)
    await sessions.StopSession(StopSessionRequest(**named(first.session)))
    again = await create(sessions, project, request_id=request_id)
    assert (again.session.id, again.session.status) == (first.session.id, SESSION_STATUS_ENDED)


@pytest.mark.parametrize("method", ["StartSession", "StopSession"])
async def test_starting_and_stopping_can_be_repeated(sessions: SessionServiceStub, project: str, method: str) -> None:
    """The same request id gives the same answer, and is bound to its session."""
    one = (await create(sessions, project, auto_start=False)).session
    other = (await create(sessions, project, external_room_id="other", auto_start=False)).session
    request = StartSessionRequest if method == "StartSession" else StopSessionRequest
    request_id = str(uuid.uuid4())
    first = await getattr(sessions, method)(request(**named(one), request_id=request_id))
    assert await getattr(sessions, method)(request(**named(one), request_id=request_id)) == first
    refusal = await refusal_of(getattr(sessions, method)(request(**named(other), request_id=request_id)))
    assert refusal == Refusal(StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED", ("request_id",))


async def test_lists_are_newest_first_and_page_by_page(sessions: SessionServiceStub, project: str) -> None:
    """Following the tokens meets every session once."""
    made = [(await create(sessions, project, external_room_id=f"room-{number}")) for number in range(5)]
    request = ListSessionsRequest(project_id=project, page_size=2, min_position=made[-1].position)
    found: list[str] = []
    while True:
        page = await sessions.ListSessions(request)
        found += [session.id for session in page.sessions]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert found == [answer.session.id for answer in reversed(made)]


async def test_lists_can_be_filtered_by_status(sessions: SessionServiceStub, project: str) -> None:
    """Those that run, and those that are over."""
    ended = (await create(sessions, project, external_room_id="one")).session
    running = (await create(sessions, project, external_room_id="other")).session
    position = (await sessions.StopSession(StopSessionRequest(**named(ended)))).position

    async def ids(status: int) -> list[str]:
        request = ListSessionsRequest(project_id=project, status=status, min_position=position)  # type: ignore[arg-type]
        return [session.id for session in (await sessions.ListSessions(request)).sessions]

    assert await ids(SESSION_STATUS_ENDED) == [ended.id]
    assert await ids(SESSION_STATUS_ACTIVE) == [running.id]


async def test_another_projects_session_does_not_exist(sessions: SessionServiceStub, project: str) -> None:
    """A foreign id and a missing one are told apart by nobody, and nothing happens to the session."""
    answer = await create(sessions, project, auto_start=False)
    session, elsewhere = answer.session, str(uuid.uuid4())
    for foreign in (
        {"project_id": elsewhere, "session_id": session.id},
        {"project_id": project, "session_id": str(uuid.uuid4())},
    ):
        assert await refusal_of(sessions.GetSession(GetSessionRequest(**foreign))) == NOT_FOUND
        assert await refusal_of(sessions.StartSession(StartSessionRequest(**foreign))) == NOT_FOUND
        assert await refusal_of(sessions.StopSession(StopSessionRequest(**foreign))) == NOT_FOUND
    listed = await sessions.ListSessions(ListSessionsRequest(project_id=elsewhere, min_position=answer.position))
    assert list(listed.sessions) == []
    assert await sessions.GetSession(GetSessionRequest(**named(session))) == session


async def test_the_feed_holds_the_projects_events(sessions: SessionServiceStub, project: str) -> None:
    """In the order of the store, and no other project's."""
    session = (await create(sessions, project)).session
    await create(sessions, str(uuid.uuid4()))
    await sessions.StopSession(StopSessionRequest(**named(session)))
    topics, after = [], 0
    while True:
        page = await sessions.ReadEvents(ReadEventsRequest(project_id=project, after_position=after, page_size=10))
        topics += [event.topic.removeprefix("cortex.session.v1.") for event in page.events]
        after = page.read_up_to
        if page.at_head:
            break
    assert topics == ["SessionCreated", "BotStatusChanged", "SessionEnded"]


@pytest.mark.parametrize(
    ("fields", "field"), [({"project_id": "me"}, "project_id"), ({"after_position": -1}, "after_position")]
)
async def test_bad_feed_requests_name_their_field(
    sessions: SessionServiceStub, fields: dict[str, object], field: str
) -> None:
    """A clear status that names the field."""
    refusal = await refusal_of(sessions.ReadEvents(ReadEventsRequest(**fields)))  # type: ignore[arg-type]
    assert (refusal.code, refusal.fields) == (StatusCode.INVALID_ARGUMENT, (field,))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"project_id": "me"}, "project_id"),
        ({"request_id": "1"}, "request_id"),
        ({"external_room_id": ""}, "external_room_id"),
        ({"external_room_id": "x" * 257}, "external_room_id"),
        ({"external_room_id": "a\0b"}, "external_room_id"),
        ({"gateway": ""}, "gateway"),
        ({"gateway": "nowhere"}, "gateway"),
        ({"gateway": "cortex://" + "x" * 512}, "gateway"),
        ({"title": "x" * 257}, "title"),
        ({"title": "a\0b"}, "title"),
        ({"idle_timeout": Duration(seconds=-1)}, "idle_timeout"),
        ({"idle_timeout": Duration(seconds=86401)}, "idle_timeout"),
    ],
)
async def test_bad_creations_name_their_field(
    sessions: SessionServiceStub, project: str, fields: dict[str, object], field: str
) -> None:
    """A clear status that names the field, and the room stays free."""
    refusal = await refusal_of(create(sessions, project, **fields))
    assert (refusal.code, refusal.fields) == (StatusCode.INVALID_ARGUMENT, (field,))
    assert (await create(sessions, project)).session.id


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"project_id": ""}, "project_id"),
        ({"project_id": "me"}, "project_id"),
        ({"session_id": ""}, "session_id"),
        ({"session_id": "me"}, "session_id"),
        ({"session_id": str(uuid.uuid4()).upper()}, "session_id"),
    ],
)
async def test_bad_ids_are_named(
    sessions: SessionServiceStub, project: str, fields: dict[str, str], field: str
) -> None:
    """What can be no id is no missing session, whatever is asked of it."""
    request = {"project_id": project, "session_id": str(uuid.uuid4()), **fields}
    for refusal in (
        await refusal_of(sessions.GetSession(GetSessionRequest(**request))),
        await refusal_of(sessions.StartSession(StartSessionRequest(**request))),
        await refusal_of(sessions.StopSession(StopSessionRequest(**request))),
    ):
        assert (refusal.code, refusal.fields) == (StatusCode.INVALID_ARGUMENT, (field,))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"project_id": "me"}, "project_id"),
        ({"page_size": -1}, "page_size"),
        ({"page_token": "!"}, "page_token"),
        ({"status": 7}, "status"),
        ({"min_position": -1}, "min_position"),
    ],
)
async def test_bad_lists_name_their_field(
    sessions: SessionServiceStub, project: str, fields: dict[str, object], field: str
) -> None:
    """A clear status that names the field."""
    request = ListSessionsRequest(**{"project_id": project, **fields})  # type: ignore[arg-type]
    refusal = await refusal_of(sessions.ListSessions(request))
    assert (refusal.code, refusal.fields) == (StatusCode.INVALID_ARGUMENT, (field,))
