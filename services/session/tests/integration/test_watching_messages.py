import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence

import grpc
import nats
import pytest
from cortex.session.v1.resources_pb2 import END_REASON_STOPPED, Session
from cortex.session.v1.session_service_pb2 import (
    CreateSessionRequest,
    ListMessagesRequest,
    ListSessionsRequest,
    StopSessionRequest,
    WatchMessagesRequest,
    WatchMessagesResponse,
)
from cortex.session.v1.session_service_pb2_grpc import SessionServiceStub
from cortex.transcriber.v1.live_pb2 import LiveInterim
from cortex_eventing.times import time_of
from cortex_session.settings import SessionSettings
from cortex_session.wiring import session_service
from cortex_testkit.environment import settings_from
from cortex_testkit.refusals import Refusal, refusal_of
from cortex_testkit.scripted_transcriber import Room, ScriptedTranscriber
from cortex_testkit.waiting import eventually
from grpc import StatusCode

pytestmark = pytest.mark.integration

COMES_WITHIN = 20.0
RACES = 10


class Watcher:
    """A watch, read one by one."""

    def __init__(self, sessions: SessionServiceStub, session: Session, **fields: object) -> None:
        request = {"project_id": session.project_id, "session_id": session.id, **fields}
        self._call = sessions.WatchMessages(WatchMessagesRequest(**request))  # type: ignore[arg-type]

    async def next(self) -> WatchMessagesResponse:
        async with asyncio.timeout(COMES_WITHIN):
            answer = await self._call.read()
        assert isinstance(answer, WatchMessagesResponse), "the watch has ended"
        return answer

    async def through(self, marker: str) -> list[WatchMessagesResponse]:
        """All that comes, the first change of this kind included."""
        seen = [await self.next()]
        while seen[-1].WhichOneof("change") != marker:
            seen.append(await self.next())
        return seen

    def stop(self) -> None:
        self._call.cancel()


@pytest.fixture
async def session(sessions: SessionServiceStub, project: str) -> Session:
    """An active session."""
    request = CreateSessionRequest(project_id=project, external_room_id="lobby", gateway="cortex://rooms.example")
    return (await sessions.CreateSession(request)).session


@pytest.fixture
def room(transcriber: ScriptedTranscriber, session: Session) -> Room:
    """What is heard in its room."""
    return transcriber.room(session.project_id, session.id, time_of(session.create_time))


@pytest.fixture
async def live(streams: str) -> AsyncIterator[nats.NATS]:
    """Where the transcriber says what it hears so far."""
    connection = await nats.connect(streams)
    yield connection
    await connection.close()


async def stop(sessions: SessionServiceStub, session: Session) -> None:
    await sessions.StopSession(StopSessionRequest(project_id=session.project_id, session_id=session.id))


async def stored(sessions: SessionServiceStub, session: Session, count: int) -> None:
    async def all_there() -> bool:
        request = ListMessagesRequest(project_id=session.project_id, session_id=session.id)
        return len((await sessions.ListMessages(request)).messages) == count

    await eventually(all_there)


def kinds(answers: Sequence[WatchMessagesResponse]) -> list[str]:
    return [str(answer.WhichOneof("change")) for answer in answers]


def texts(answers: Sequence[WatchMessagesResponse]) -> list[str]:
    return [answer.message.content for answer in answers if answer.HasField("message")]


async def test_history_comes_first_then_a_marker_then_what_happens(
    sessions: SessionServiceStub, session: Session, room: Room
) -> None:
    """In the order of storing; every answer says where to resume; the end of the session ends the watch."""
    await room.says("Ada", "one", seconds=1)
    await room.says("Ada", "two", seconds=2)
    await stored(sessions, session, 2)
    watcher = Watcher(sessions, session)
    history = await watcher.through("caught_up")
    assert (kinds(history), texts(history)) == (["message", "message", "caught_up"], ["one", "two"])
    await room.says("Bob", "three", seconds=3)
    assert texts([await watcher.next()]) == ["three"]
    await stop(sessions, session)
    last = await watcher.next()
    assert last.session_over.reason == END_REASON_STOPPED
    positions = [answer.position for answer in history]
    assert positions == sorted(positions)
    assert last.position >= positions[-1]


async def test_a_watch_of_an_ended_session_ends(sessions: SessionServiceStub, session: Session, room: Room) -> None:
    """All that was said, the marker, and the end."""
    await room.says("Ada", "one")
    await stored(sessions, session, 1)
    await stop(sessions, session)
    assert kinds(await Watcher(sessions, session).through("session_over")) == ["message", "caught_up", "session_over"]


async def test_a_watch_resumes_without_a_gap_and_without_a_double(
    sessions: SessionServiceStub, session: Session, room: Room
) -> None:
    """Broken off after any answer and resumed from its position, it tells the same story."""
    for number in range(4):
        await room.says("Ada", f"{number}", seconds=number)
    await stored(sessions, session, 4)
    whole = texts(await Watcher(sessions, session).through("caught_up"))
    resumed, position = [], 0
    for _ in whole:
        watcher = Watcher(sessions, session, after_position=position)
        answer = await watcher.next()
        watcher.stop()
        resumed += texts([answer])
        position = answer.position
    assert resumed == whole == ["0", "1", "2", "3"]
    assert kinds(await Watcher(sessions, session, after_position=position).through("caught_up")) == ["caught_up"]


async def test_nothing_is_missed_while_much_is_said(sessions: SessionServiceStub, session: Session, room: Room) -> None:
    """Watchers that come in the middle of it all see everything once, in the same order."""
    talking = asyncio.gather(*(room.says("Ada", f"{number}", seconds=number) for number in range(300)))
    watchers = [Watcher(sessions, session) for _ in range(5)]
    await talking
    await stored_by_watch(sessions, session, 300)
    await stop(sessions, session)
    stories = [texts(await watcher.through("session_over")) for watcher in watchers]
    assert sorted(stories[0], key=int) == [str(number) for number in range(300)]
    assert all(story == stories[0] for story in stories)


async def stored_by_watch(sessions: SessionServiceStub, session: Session, count: int) -> None:
    watcher = Watcher(sessions, session)
    for _ in range(count):
        while not (await watcher.next()).HasField("message"):
            continue
    watcher.stop()


async def test_the_end_waits_for_those_who_are_still_there(
    sessions: SessionServiceStub, session: Session, room: Room
) -> None:
    """As long as somebody counts as in the room their last words may come; when nobody is left it is over."""
    await room.joins("Ada", "phone")
    watcher = Watcher(sessions, session)
    assert kinds(await watcher.through("message"))[-1] == "message"
    await stop(sessions, session)
    await room.says("Ada", "my last words", seconds=0)
    await room.leaves("Ada", "phone", seconds=1)
    rest = await watcher.through("session_over")
    assert texts(rest) == ["my last words", "Ada left"]


async def test_the_end_comes_behind_what_was_said_just_before(
    sessions: SessionServiceStub, project: str, transcriber: ScriptedTranscriber
) -> None:
    """Stopping races with the reading of what the transcriber stored before; the watch loses none of it."""
    for number in range(RACES):
        request = CreateSessionRequest(project_id=project, external_room_id=f"{number}", gateway="cortex://rooms")
        session = (await sessions.CreateSession(request)).session
        room = transcriber.room(project, session.id, time_of(session.create_time))
        watcher = Watcher(sessions, session)
        await watcher.through("caught_up")
        await room.joins("Ada", "phone")
        await room.says("Ada", "hello", peer_id="phone")
        await room.leaves("Ada", "phone", seconds=1)
        await stop(sessions, session)
        assert texts(await watcher.through("session_over")) == ["Ada joined", "hello", "Ada left"]


async def test_interim_texts_come_to_those_who_ask(
    sessions: SessionServiceStub, session: Session, live: nats.NATS
) -> None:
    """What somebody is saying, so far; others hear nothing of it, and none of it is stored."""
    watcher, other = Watcher(sessions, session, include_interim=True), Watcher(sessions, session)
    await watcher.through("caught_up")
    speaking = LiveInterim(
        session_id=session.id, participant_id=str(uuid.uuid4()), peer_id="phone", text="hel", stable_length=2
    )
    subject = f"cortex.live.{session.project_id}.{session.id}.{speaking.participant_id}"

    await live.publish(f"cortex.live.{session.project_id}.{uuid.uuid4()}.x", speaking.SerializeToString())
    await live.publish(subject, b"\xff no message")
    answer = await first_interim(watcher, live, subject, speaking)
    assert (answer.interim.participant_id, answer.interim.peer_id) == (speaking.participant_id, "phone")
    assert (answer.interim.text, answer.interim.stable_length, answer.position) == ("hel", 2, 0)
    await stop(sessions, session)
    assert kinds(await other.through("session_over")) == ["caught_up", "session_over"]


async def first_interim(
    watcher: Watcher, live: nats.NATS, subject: str, speaking: LiveInterim
) -> WatchMessagesResponse:
    """Interims before the watch has subscribed are lost, so the speaker goes on until one is heard."""
    reading = asyncio.create_task(watcher.next())

    async def said_and_heard() -> bool:
        await live.publish(subject, speaking.SerializeToString())
        await asyncio.wait([reading], timeout=0.05)
        return reading.done()

    await eventually(said_and_heard)
    return await reading


async def test_another_replica_shows_the_same(
    environment: dict[str, str], sessions: SessionServiceStub, session: Session, room: Room
) -> None:
    """It serves lists and watches beside the one whose projection runs, and sees what that one's commands did."""
    async with (
        session_service(settings_from(SessionSettings, environment)) as listening,
        grpc.aio.insecure_channel(listening.address) as channel,
    ):
        replica = SessionServiceStub(channel)
        watcher = Watcher(replica, session)
        await watcher.through("caught_up")
        await room.says("Ada", "hello")
        assert texts([await watcher.next()]) == ["hello"]
        stopping = StopSessionRequest(project_id=session.project_id, session_id=session.id)
        stopped = await sessions.StopSession(stopping)
        listing = ListSessionsRequest(project_id=session.project_id, min_position=stopped.position)
        assert list((await replica.ListSessions(listing)).sessions) == [stopped.session]
        assert kinds([await watcher.next()]) == ["session_over"]


async def test_another_projects_session_does_not_exist(sessions: SessionServiceStub, session: Session) -> None:
    """A foreign session and a missing one are told apart by nobody."""

    async def watch(project_id: str, session_id: str) -> Refusal:
        request = WatchMessagesRequest(project_id=project_id, session_id=session_id)
        return await refusal_of(anext(aiter(sessions.WatchMessages(request))))

    expected = Refusal(StatusCode.NOT_FOUND, "SESSION_NOT_FOUND", ("session_id",))
    assert await watch(str(uuid.uuid4()), session.id) == expected
    assert await watch(session.project_id, str(uuid.uuid4())) == expected


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"project_id": "me"}, "project_id"),
        ({"session_id": "me"}, "session_id"),
        ({"after_position": -1}, "after_position"),
    ],
)
async def test_bad_input_names_its_field(
    sessions: SessionServiceStub, session: Session, fields: dict[str, object], field: str
) -> None:
    """A clear status that names the field, before anything is sent."""
    request = {"project_id": session.project_id, "session_id": session.id, **fields}
    watch = sessions.WatchMessages(WatchMessagesRequest(**request))  # type: ignore[arg-type]
    refusal = await refusal_of(anext(aiter(watch)))
    assert (refusal.code, refusal.fields) == (StatusCode.INVALID_ARGUMENT, (field,))
