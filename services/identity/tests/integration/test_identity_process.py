"""`python -m cortex_identity`, from settings in the environment alone."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from cortex.common.v1.feed_pb2 import ReadEventsRequest
from cortex.identity.v1.identity_service_pb2 import (
    CreateParticipantRequest,
    CreateParticipantResponse,
    ListParticipantsRequest,
    LookupParticipantRequest,
)
from cortex.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from cortex_eventing.adapters.nats.connection import connected_now
from cortex_eventing.adapters.nats.stream import count_messages
from cortex_runtime.adapters.embedded.ports import free_port
from cortex_runtime.adapters.embedded.servers import service_environment
from cortex_runtime.database import DatabaseAccess
from cortex_testkit.answering import until_serving
from cortex_testkit.fixtures import FreshDatabase
from cortex_testkit.processes import service_process
from cortex_testkit.projecting import checkpoint_of, rows_of
from cortex_testkit.refusals import refusal_of
from cortex_testkit.waiting import eventually
from grpc import StatusCode

pytestmark = pytest.mark.integration

MODULE = "cortex_identity"
CLAIM_KEY = "0123456789abcdef0123456789abcdef"


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
def own_environment(empty_database: DatabaseAccess, nats_url: str, port: int) -> dict[str, str]:
    """What the process reads."""
    return {
        **service_environment(empty_database, nats_url, CLAIM_KEY),
        "CORTEX_GRPC_PORT": str(port),
        "CORTEX_GRPC_GRACE": "1",
    }


async def create(stub: IdentityServiceStub, project: str, number: int, **fields: str) -> CreateParticipantResponse:
    request = CreateParticipantRequest(project_id=project, external_user_id=f"u-{number}", **fields)
    return await stub.CreateParticipant(request, wait_for_ready=True, timeout=20)


async def test_a_killed_process_keeps_everything(
    own_environment: dict[str, str], port: int, project: str, tmp_path: Path
) -> None:
    """It makes its own tables, is killed, starts again, and knows everybody; a repeated request is the same one."""
    address, request_id = f"127.0.0.1:{port}", str(uuid.uuid4())
    async with service_process(MODULE, own_environment, tmp_path / "log") as process:
        await until_serving(process, address)
        async with grpc.aio.insecure_channel(address) as channel:
            before = [await create(IdentityServiceStub(channel), project, number) for number in range(5)]
            last = await create(IdentityServiceStub(channel), project, 5, request_id=request_id)
        await process.kill()
        await process.start()
        await until_serving(process, address)
        async with grpc.aio.insecure_channel(address) as channel:
            stub = IdentityServiceStub(channel)
            assert await create(stub, project, 5, request_id=request_id) == last
            assert [await create(stub, project, number) for number in range(5)] != before
            listed = await stub.ListParticipants(
                ListParticipantsRequest(project_id=project, min_position=last.position)
            )
            assert list(listed.participants) == [answer.participant for answer in (*before, last)]
        assert await process.stop() == 0


async def test_read_models_and_claims_can_be_made_anew(
    own_environment: dict[str, str], empty_database: DatabaseAccess, port: int, project: str, tmp_path: Path
) -> None:
    """While it runs: the rows are as they were, and everybody is found under another claim key."""
    address = f"127.0.0.1:{port}"
    async with service_process(MODULE, own_environment, tmp_path / "log") as process:
        await until_serving(process, address)
        async with grpc.aio.insecure_channel(address) as channel:
            stub = IdentityServiceStub(channel)
            answers = [await create(stub, project, number, display_name=f"{number}") for number in range(5)]
            position = answers[-1].position
            listing = ListParticipantsRequest(project_id=project, min_position=position)
            await stub.ListParticipants(listing)
            live = await rows_of(empty_database, "participants")
            assert (await run_task("rebuild", own_environment, tmp_path)) == 0

            async def rebuilt() -> bool:
                return await checkpoint_of(empty_database, "participants") >= position

            await eventually(rebuilt)
            assert await rows_of(empty_database, "participants") == live
        other_key = {**own_environment, "CORTEX_CLAIM_KEY": "f" * 32}
        assert (await run_task("rebuild-claims", other_key, tmp_path)) == 0
        await process.restart(other_key)
        await until_serving(process, address)
        async with grpc.aio.insecure_channel(address) as channel:
            lookup = LookupParticipantRequest(project_id=project, external_user_id="u-3")
            assert await IdentityServiceStub(channel).LookupParticipant(lookup) == answers[3].participant


async def test_without_nats_everything_but_the_stream_works(
    own_environment: dict[str, str], port: int, project: str, tmp_path: Path
) -> None:
    """The broker's absence is a state: participants are created, and listed from the store's own feed."""
    away = {**own_environment, "CORTEX_NATS_URL": f"nats://127.0.0.1:{free_port()}"}
    address = f"127.0.0.1:{port}"
    async with service_process(MODULE, away, tmp_path / "log") as process:
        await until_serving(process, address)
        async with grpc.aio.insecure_channel(address) as channel:
            stub = IdentityServiceStub(channel)
            answer = await create(stub, project, 1)
            listing = ListParticipantsRequest(project_id=project, min_position=answer.position)
            assert list((await stub.ListParticipants(listing)).participants) == [answer.participant]
            feed = await stub.ReadEvents(ReadEventsRequest(project_id=project))
            assert [event.topic for event in feed.events] == ["cortex.identity.v1.ParticipantCreated"]
            elsewhere = await stub.ReadEvents(ReadEventsRequest(project_id=str(uuid.uuid4())))
            assert list(elsewhere.events) == []
        assert await process.stop() == 0


async def test_the_schema_can_be_migrated_apart(
    own_environment: dict[str, str], empty_database: DatabaseAccess, tmp_path: Path
) -> None:
    """For whoever wants the tables before the service runs; a second time finds nothing to do."""
    assert (await run_task("migrate", own_environment, tmp_path)) == 0
    assert await rows_of(empty_database, "participants") == []
    assert (await run_task("migrate", own_environment, tmp_path)) == 0
    assert (tmp_path / "migrate").read_text().splitlines()[-1] == "applied 0 migrations"


async def test_wrong_settings_are_said_and_nothing_starts(own_environment: dict[str, str], tmp_path: Path) -> None:
    """One line names the variable and the rule, and never the value."""
    wrong = {**own_environment, "CORTEX_GRPC_HOST": "0.0.0.0", "CORTEX_CLAIM_KEY": "hush"}
    async with service_process(MODULE, wrong, tmp_path / "log") as process:
        assert await process.wait() == 2
        assert "CORTEX_GRPC_HOST" in process.output()
        assert "CORTEX_CLAIM_KEY" in process.output()
        assert "hush" not in process.output()


async def test_an_emptied_stream_is_filled_again_when_an_operator_says_so(
    own_environment: dict[str, str], nats_url: str, port: int, project: str, tmp_path: Path
) -> None:
    """The command that the relay's alarm names, while the service runs; nothing is parked meanwhile."""
    address = f"127.0.0.1:{port}"
    async with (
        service_process(MODULE, own_environment, tmp_path / "log") as process,
        connected_now(nats_url, "t") as nats,
    ):
        await until_serving(process, address)

        async def filled() -> bool:
            return await count_messages(nats, "IDENTITY") == 3

        async with grpc.aio.insecure_channel(address) as channel:
            for number in range(3):
                await create(IdentityServiceStub(channel), project, number)
        await eventually(filled)
        await nats.jetstream.purge_stream("IDENTITY")
        assert await run_task("refill-stream", own_environment, tmp_path) == 2
        assert "say --yes" in (tmp_path / "refill-stream").read_text()
        assert await run_task("refill-stream", own_environment, tmp_path, "--yes") == 0
        await eventually(filled)
        assert await run_task("parked", own_environment, tmp_path) == 0
        assert (tmp_path / "parked").read_text().splitlines()[-1] == "nothing is parked"


BROKEN = """
from cortex_eventing.adapters.postgres.batch_writer import BatchWriter
from cortex_eventing.adapters.postgres.listener import Listener
from cortex_identity.__main__ import main

async def stumble(_listener, _connection):
    raise ZeroDivisionError("Ada")

{defect}
main()
"""


async def test_a_deaf_store_ends_the_process(own_environment: dict[str, str], tmp_path: Path) -> None:
    """What listens for stored events dies of a defect: status 1, said without the error's text."""
    environment = broken(own_environment, tmp_path, "Listener._listen = stumble")
    async with service_process("broken_identity", environment, tmp_path / "log") as process:
        assert await process.wait() == 1
        assert '"error_type": "builtins.ZeroDivisionError"' in process.output()
        assert "Ada" not in process.output()


async def test_a_store_that_cannot_commit_ends_the_process(
    own_environment: dict[str, str], port: int, project: str, tmp_path: Path
) -> None:
    """The thread that commits dies of a defect: whoever waits is answered, and then status 1."""
    defect = "BatchWriter.write = lambda _writer, batch: [None] * (len(batch) + 1)"
    environment = broken(own_environment, tmp_path, defect)
    async with (
        service_process("broken_identity", environment, tmp_path / "log") as process,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        assert (await refusal_of(create(IdentityServiceStub(channel), project, 1))).code == StatusCode.INTERNAL
        assert await process.wait() == 1


def broken(environment: dict[str, str], folder: Path, defect: str) -> dict[str, str]:
    """The environment in which `python -m broken_identity` is identity with a defect."""
    (folder / "broken_identity.py").write_text(BROKEN.format(defect=defect))
    return {**environment, "PYTHONPATH": str(folder)}


async def run_task(task: str, environment: dict[str, str], folder: Path, *arguments: str) -> int:
    """The exit status of `python -m cortex_identity TASK`; its output is in a file of that name."""
    async with service_process(MODULE, environment, folder / task, [task, *arguments]) as process:
        return await process.wait()
