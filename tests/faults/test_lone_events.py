"""An event that nobody announces, and that no other follows, is published and read all the same."""

import uuid
from collections.abc import AsyncIterator

import pytest
from cortex.identity.v1.identity_service_pb2 import ListParticipantsRequest
from cortex_client.client import CortexClient
from cortex_runtime.adapters.roles import dsn_with
from cortex_testkit.waiting import eventually
from psycopg import AsyncConnection

from tests.faults.gathering import on_stream, rows, settled, stored
from tests.faults.installation import Installation

pytestmark = pytest.mark.faults

APPEND = "cortex_append"
ANNOUNCES = "NOTIFY stored_events;"

LISTENERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cortex-store-listener'"


@pytest.fixture
async def caller(installed: Installation) -> AsyncIterator[CortexClient]:
    """A caller, once nothing else happens."""
    await settled(installed)
    async with CortexClient(installed.addresses, str(uuid.uuid4())) as cortex:
        yield cortex


@pytest.fixture
async def ears(installed: Installation) -> AsyncIterator[AsyncConnection]:
    """A connection that hears what identity's store announces."""
    dsn = dsn_with(installed.servers.postgres.dsn, dbname="identity")
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        await connection.execute("LISTEN stored_events")
        yield connection


@pytest.fixture
async def unannounced(installed: Installation) -> AsyncIterator[None]:
    """Identity's database stores events and announces none."""
    found = await rows(installed, "identity", f"SELECT pg_get_functiondef('{APPEND}'::regproc)")
    definition = str(found[0][0])
    assert ANNOUNCES in definition
    await rows(installed, "identity", definition.replace(ANNOUNCES, "NULL;"))
    yield
    await rows(installed, "identity", definition)


async def is_published_and_listed(installed: Installation, caller: CortexClient) -> bool:
    """Whether the caller's one participant is on the stream, and in the list as it is read without waiting for it."""
    events = [event for event in await stored(caller.identity) if event.project_id == caller.project_id]
    published = {message.id for message in await on_stream(installed, "identity")}
    request = ListParticipantsRequest(project_id=caller.project_id)
    listed = (await caller.identity.ListParticipants(request)).participants
    return published.issuperset(event.id for event in events) and [each.external_user_id for each in listed] == ["lone"]


@pytest.mark.usefixtures("unannounced")
async def test_nobody_announces_it(installed: Installation, caller: CortexClient, ears: AsyncConnection) -> None:
    """The relay and the projection look by themselves from time to time."""
    await caller.create_participant("lone")
    await eventually(lambda: is_published_and_listed(installed, caller))
    assert [notified async for notified in ears.notifies(timeout=0)] == []


async def test_nobody_hears_it(installed: Installation, caller: CortexClient) -> None:
    """Everybody who listens loses the connection at the moment in which the event is stored."""
    ended = await rows(installed, "identity", LISTENERS)
    assert ended
    await caller.create_participant("lone")
    await eventually(lambda: is_published_and_listed(installed, caller))
