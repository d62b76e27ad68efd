"""Session as one process runs it, on real servers, beside a transcriber that hears what a test says."""

import uuid
from collections.abc import AsyncIterator

import grpc
import pytest
from cortex.session.v1.session_service_pb2_grpc import SessionServiceStub
from cortex_runtime.adapters.embedded.servers import service_environment
from cortex_runtime.database import DatabaseAccess
from cortex_session.settings import SessionSettings
from cortex_session.wiring import MIGRATIONS, session_service
from cortex_testkit.environment import settings_from
from cortex_testkit.fixtures import FreshDatabase
from cortex_testkit.scripted_transcriber import ScriptedTranscriber, scripted_transcriber
from cortex_testkit.streams import no_streams_left

CLAIM_KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="session")
def migrations() -> tuple[str, ...]:
    """What session's database consists of."""
    return MIGRATIONS


@pytest.fixture(scope="module")
async def streams(shared_nats_url: str) -> AsyncIterator[str]:
    """The NATS of a module's tests, whose streams go with it."""
    async with no_streams_left(shared_nats_url) as url:
        yield url


@pytest.fixture(scope="module")
async def transcriber(fresh_database: FreshDatabase, streams: str) -> AsyncIterator[ScriptedTranscriber]:
    """What is heard in the rooms."""
    async with (
        fresh_database("cortex_eventing.adapters") as access,
        scripted_transcriber(access, streams) as running,
    ):
        yield running


@pytest.fixture(scope="module")
async def environment(
    module_database: DatabaseAccess, streams: str, transcriber: ScriptedTranscriber
) -> dict[str, str]:
    """What session reads from the environment, in the tests of a module."""
    return {
        **service_environment(module_database, streams, CLAIM_KEY),
        "CORTEX_GRPC_GRACE": "1",
        "CORTEX_TRANSCRIBER_ADDRESS": transcriber.address,
    }


@pytest.fixture(scope="module")
async def sessions(environment: dict[str, str]) -> AsyncIterator[SessionServiceStub]:
    """A client of the running service."""
    async with (
        session_service(settings_from(SessionSettings, environment)) as listening,
        grpc.aio.insecure_channel(listening.address) as channel,
    ):
        yield SessionServiceStub(channel)


@pytest.fixture
def project() -> str:
    """A project that nobody else has."""
    return str(uuid.uuid4())
