"""`python -m cortex_session`, from settings in the environment alone."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from cortex.session.v1.resources_pb2 import Message, Session
from cortex.session.v1.session_service_pb2 import (
    CreateSessionRequest,
    CreateSessionResponse,
    ListMessagesRequest,
    ListSessionsRequest,
    StopSessionRequest,
)
from cortex.session.v1.session_service_pb2_grpc import SessionServiceStub
from cortex_eventing.times import time_of
from cortex_runtime.adapters.embedded.ports import free_port
from cortex_runtime.adapters.embedded.servers import service_environment
from cortex_runtime.database import DatabaseAccess
from cortex_testkit.answering import until_serving
from cortex_testkit.fixtures import FreshDatabase
from cortex_testkit.processes import ServiceProcess, service_process
from cortex_testkit.projecting import checkpoint_of, rows_of
from cortex_testkit.refusals import refusal_of
from cortex_testkit.scripted_transcriber import ScriptedTranscriber, scripted_transcriber
from cortex_testkit.waiting import eventually
from grpc import StatusCode

pytestmark = pytest.mark.integration

MODULE = "cortex_session"
CLAIM_KEY = "0123456789abcdef0123456789abcdef"
TABLES = ("sessions", "messages", "attendances")


@pytest.fixture
async def empty_database(fresh_database: FreshDatabase) -> AsyncIterator[DatabaseAccess]:
    """A database without any table of ours."""
    async with fresh_database() as access:
        yield access


@pytest.fixture
def port() -> int:
    """Where the process shall listen."""
    return free_port()


@pytest.fixture
async def transcriber(fresh_database: FreshDatabase, nats_url: str) -> AsyncIterator[ScriptedTranscriber]:
    """What is heard in the rooms of one test."""
    async with (
        fresh_database("cortex_eventing.adapters") as access,
        scripted_transcriber(access, nats_url) as running,
    ):
        yield running


@pytest.fixture
def own_environment(
    empty_database: DatabaseAccess, nats_url: str, transcriber: ScriptedTranscriber, port: int
) -> dict[str, str]:
    """What the process reads."""
    return {
        **service_environment(empty_database, nats_url, CLAIM_KEY),
        "CORTEX_TRANSCRIBER_ADDRESS": transcriber.address,
        "CORTEX_GRPC_PORT": str(port),
        "CORTEX_GRPC_GRACE": "1",
    }


@pytest.fixture
async def process(own_environment: dict[str, str], port: int, tmp_path: Path) -> AsyncIterator[ServiceProcess]:
    """The running process, with tables that it made itself."""
    async with service_process(MODULE, own_environment, tmp_path / "log") as running:
        await until_serving(running, f"127.0.0.1:{port}")
        yield running


@pytest.fixture
async def stub(port: int) -> AsyncIterator[SessionServiceStub]:
    """A client that finds the process again after a restart."""
    options = [("grpc.max_reconnect_backoff_ms", 100)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        yield SessionServiceStub(channel)


async def create(stub: SessionServiceStub, project: str, room: str, **fields: str) -> CreateSessionResponse:
    request = CreateSessionRequest(
        project_id=project, external_room_id=room, gateway="cortex://rooms.example", **fields
    )
    return await stub.CreateSession(request, wait_for_ready=True, timeout=20)


async def said(stub: SessionServiceStub, session: Session, count: int) -> list[Message]:
    """The messages of a session, once there are so many."""

    async def all_there() -> list[Message]:
        request = ListMessagesRequest(project_id=session.project_id, session_id=session.id)
        found = list((await stub.ListMessages(request, wait_for_ready=True, timeout=20)).messages)
        return found if len(found) >= count else []

    found: list[Message] = await eventually(all_there)
    return found


async def test_a_killed_process_keeps_everything(
    process: ServiceProcess,
    stub: SessionServiceStub,
    transcriber: ScriptedTranscriber,
    project: str,
    port: int,
) -> None:
    """What it answered is there afterwards; what was said while it was dead is there too, each thing once."""
    request_id = str(uuid.uuid4())
    created = await create(stub, project, "lobby", request_id=request_id)
    session = created.session
    room = transcriber.room(project, session.id, time_of(session.create_time))
    await room.joins("Ada", "phone")
    for number in range(20):
        await room.says("Ada", f"{number}", seconds=1 + number)
    await said(stub, session, 1)
    await process.kill()
    for number in range(20, 30):
        await room.says("Ada", f"{number}", seconds=1 + number)
    await process.start()
    await until_serving(process, f"127.0.0.1:{port}")
    texts = [message.content for message in await said(stub, session, 31)]
    assert texts == ["Ada joined", *(str(number) for number in range(30))]
    assert await create(stub, project, "lobby", request_id=request_id) == created
    assert (await refusal_of(create(stub, project, "lobby"))).code == StatusCode.ALREADY_EXISTS
    assert await process.stop() == 0


@pytest.mark.usefixtures("process")
async def test_read_models_can_be_made_anew(
    stub: SessionServiceStub,
    transcriber: ScriptedTranscriber,
    own_environment: dict[str, str],
    empty_database: DatabaseAccess,
    tmp_path: Path,
) -> None:
    """While it runs: the rows are as they were."""
    project = str(uuid.uuid4())
    active, ended = (await create(stub, project, "active")).session, (await create(stub, project, "ended")).session
    room = transcriber.room(project, active.id, time_of(active.create_time))
    await room.joins("Ada", "phone")
    await asyncio.gather(*(room.says("Ada", f"{number}", seconds=number) for number in range(10)))
    await room.leaves("Ada", "phone", seconds=20)
    await said(stub, active, 12)
    stopped = await stub.StopSession(StopSessionRequest(project_id=project, session_id=ended.id))
    await stub.ListSessions(ListSessionsRequest(project_id=project, min_position=stopped.position))

    async def nobody_left() -> bool:
        return all(row[7] for row in await rows_of(empty_database, "attendances"))

    await eventually(nobody_left)
    position = await checkpoint_of(empty_database, "rooms")
    live = [await rows_of(empty_database, table) for table in TABLES]
    assert all(live)
    assert await run_task("rebuild", own_environment, tmp_path) == 0

    async def rebuilt() -> bool:
        return await checkpoint_of(empty_database, "rooms") >= position

    await eventually(rebuilt)
    assert [await rows_of(empty_database, table) for table in TABLES] == live


async def test_claims_can_be_made_anew(
    process: ServiceProcess, stub: SessionServiceStub, own_environment: dict[str, str], port: int, tmp_path: Path
) -> None:
    """Under another claim key every room is as taken, or as free, as before."""
    project = str(uuid.uuid4())
    await create(stub, project, "active")
    ended = (await create(stub, project, "ended")).session
    await stub.StopSession(StopSessionRequest(project_id=project, session_id=ended.id))
    other_key = {**own_environment, "CORTEX_CLAIM_KEY": "f" * 32}
    assert await run_task("rebuild-claims", other_key, tmp_path) == 0
    await process.restart(other_key)
    await until_serving(process, f"127.0.0.1:{port}")
    assert (await refusal_of(create(stub, project, "active"))).code == StatusCode.ALREADY_EXISTS
    assert (await create(stub, project, "ended")).session.id != ended.id


async def test_a_missing_transcriber_is_said(own_environment: dict[str, str], tmp_path: Path) -> None:
    """One line names the variable."""
    del own_environment["CORTEX_TRANSCRIBER_ADDRESS"]
    async with service_process(MODULE, own_environment, tmp_path / "log") as process:
        assert await process.wait() == 2
        assert "CORTEX_TRANSCRIBER_ADDRESS is missing" in process.output()


async def run_task(task: str, environment: dict[str, str], folder: Path) -> int:
    """The exit status of `python -m cortex_session TASK`."""
    async with service_process(MODULE, environment, folder / task, [task]) as process:
        return await process.wait()
