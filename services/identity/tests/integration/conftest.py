"""Identity as one process runs it, on real servers, for the tests of this folder."""

import uuid
from collections.abc import AsyncIterator

import grpc
import pytest
from cortex.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from cortex_identity.settings import IdentitySettings
from cortex_identity.wiring import MIGRATIONS, identity_service
from cortex_runtime.adapters.embedded.servers import service_environment
from cortex_runtime.database import DatabaseAccess
from cortex_testkit.environment import settings_from
from cortex_testkit.streams import no_streams_left

CLAIM_KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="session")
def migrations() -> tuple[str, ...]:
    """What identity's database consists of."""
    return MIGRATIONS


@pytest.fixture(scope="module")
async def environment(module_database: DatabaseAccess, shared_nats_url: str) -> AsyncIterator[dict[str, str]]:
    """What identity reads from the environment, in the tests of a module."""
    async with no_streams_left(shared_nats_url) as nats_url:
        yield {**service_environment(module_database, nats_url, CLAIM_KEY), "CORTEX_GRPC_GRACE": "1"}


@pytest.fixture(scope="module")
async def identity(environment: dict[str, str]) -> AsyncIterator[IdentityServiceStub]:
    """A client of the running service."""
    async with (
        identity_service(settings_from(IdentitySettings, environment)) as listening,
        grpc.aio.insecure_channel(listening.address) as channel,
    ):
        yield IdentityServiceStub(channel)


@pytest.fixture
def project() -> str:
    """A project that nobody else has."""
    return str(uuid.uuid4())
