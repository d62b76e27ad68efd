"""Callers who ask at once for what only one may have, and requests that are asked for twice."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from cortex.common.v1.feed_pb2 import RecordedEvent
from cortex_client.client import CortexClient, new_request_id
from cortex_client.errors import CallFailed, RequestIdReused, RoomTaken

from tests.faults.gathering import stored
from tests.faults.installation import Installation
from tests.faults.traffic import GATEWAY

pytestmark = pytest.mark.faults

CALLERS = 10


@pytest.fixture
async def callers(installed: Installation) -> AsyncIterator[list[CortexClient]]:
    """Ten callers of one project, each with connections of its own."""
    project_id = str(uuid.uuid4())
    clients = [CortexClient(installed.addresses, project_id) for _ in range(CALLERS)]
    for client in clients:
        await client.__aenter__()
    yield clients
    for client in clients:
        await client.__aexit__(None, None, None)


async def kinds(caller: CortexClient, service: str) -> Counter[str]:
    """How many events of each kind the caller's project has."""
    events = await stored(getattr(caller, service))
    return Counter(kind_of(event) for event in events if event.project_id == caller.project_id)


def kind_of(event: RecordedEvent) -> str:
    return event.topic.rpartition(".")[2]


async def test_ten_callers_create_one_participant(callers: list[CortexClient]) -> None:
    """All get the same participant, one of them is told that it is new, and one is stored."""
    answers = await asyncio.gather(*(caller.create_participant("ada") for caller in callers))
    assert len({answer.participant.id for answer in answers}) == 1
    assert [answer.created for answer in answers].count(True) == 1
    assert await kinds(callers[0], "identity") == {"ParticipantCreated": 1}


async def test_ten_sessions_for_one_room_are_one(callers: list[CortexClient]) -> None:
    """One caller gets a session, the others hear that the room is taken; once it is over another may begin."""
    answers = await asyncio.gather(
        *(caller.create_session("room", GATEWAY) for caller in callers), return_exceptions=True
    )
    created = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert len(created) == 1
    assert [type(answer) for answer in answers if isinstance(answer, BaseException)] == [RoomTaken] * (CALLERS - 1)
    assert (await kinds(callers[0], "session"))["SessionCreated"] == 1
    await callers[3].stop_session(created[0].session.id)
    assert (await callers[4].create_session("room", GATEWAY)).session.id != created[0].session.id


async def test_one_request_has_one_result(callers: list[CortexClient]) -> None:
    """However many ask at once under one request id, and however late another asks again, one thing happens."""
    request_id = new_request_id()

    async def ask(caller: CortexClient) -> str:
        return (await caller.create_session("room", GATEWAY, title="once", request_id=request_id)).session.id

    answers = await asyncio.gather(*(ask(caller) for caller in callers))
    assert len(set(answers)) == 1
    await callers[0].stop_session(answers[0])
    assert await ask(callers[1]) == answers[0]
    assert await kinds(callers[0], "session") == {"SessionCreated": 1, "BotStatusChanged": 1, "SessionEnded": 1}


async def test_one_request_creates_one_participant(callers: list[CortexClient]) -> None:
    """A repeat is answered as the first time, `created` included."""
    request_id = new_request_id()
    answers = await asyncio.gather(*(caller.create_participant("ada", request_id=request_id) for caller in callers))
    assert {(answer.participant.id, answer.created) for answer in answers} == {(answers[0].participant.id, True)}
    assert await kinds(callers[0], "identity") == {"ParticipantCreated": 1}


async def test_a_request_id_with_another_body_is_an_error(callers: list[CortexClient]) -> None:
    """It is refused, in every method, and nothing happens."""
    caller, participant, begun, stopped = callers[0], new_request_id(), new_request_id(), new_request_id()
    await caller.create_participant("ada", request_id=participant)
    first = await caller.create_session("room-1", GATEWAY, request_id=begun)
    await caller.stop_session(first.session.id, request_id=stopped)
    second = await caller.create_session("room-2", GATEWAY)
    before = await kinds(caller, "identity"), await kinds(caller, "session")
    refused: list[CallFailed] = []
    for call in (
        caller.create_participant("bob", request_id=participant),
        caller.create_session("room-3", GATEWAY, request_id=begun),
        caller.stop_session(second.session.id, request_id=stopped),
    ):
        with pytest.raises(RequestIdReused) as failed:
            await call
        refused.append(failed.value)
    assert {violation.field for each in refused for violation in each.violations} == {"request_id"}
    assert (await kinds(caller, "identity"), await kinds(caller, "session")) == before


async def test_a_session_is_stopped_once(callers: list[CortexClient]) -> None:
    """Ten callers stop it at once, each gets the ended session, and one end is stored."""
    session = (await callers[0].create_session("room", GATEWAY)).session
    answers = await asyncio.gather(*(caller.stop_session(session.id) for caller in callers))
    assert len({answer.session.end_time.ToNanoseconds() for answer in answers}) == 1
    assert (await kinds(callers[0], "session"))["SessionEnded"] == 1
