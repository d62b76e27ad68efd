"""An answer that is lost after the commit: asked again, the same thing comes back, and it happened once."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

import pytest
from cortex_client.client import Addresses, CortexClient, new_request_id
from cortex_client.errors import TimedOut
from cortex_runtime.adapters.embedded.ports import LOOPBACK, free_port
from cortex_runtime.adapters.roles import dsn_with
from cortex_testkit.fault_relay import FaultRelay, fault_relay
from cortex_testkit.waiting import eventually

from tests.faults.gathering import stored
from tests.faults.installation import Installation, is_serving
from tests.faults.traffic import GATEWAY

pytestmark = pytest.mark.faults

GIVES_UP = 1.0
"""Seconds after which the caller stops waiting for the lost reply."""

PATIENT = 20.0
"""Seconds for an answer that will come."""

Ask = Callable[[CortexClient, str, float], Awaitable[tuple[str, bool]]]


async def create_participant(cortex: CortexClient, request_id: str, seconds: float) -> tuple[str, bool]:
    answer = await cortex.create_participant("ada", request_id=request_id, timeout=seconds)
    return answer.participant.id, answer.created


async def create_session(cortex: CortexClient, request_id: str, seconds: float) -> tuple[str, bool]:
    answer = await cortex.create_session("room", GATEWAY, request_id=request_id, timeout=seconds)
    return answer.session.id, True


@dataclass(frozen=True)
class Command:
    """A command, the service that it goes to, and the event that it leads to."""

    service: str
    ask: Ask
    event: str


CREATE_PARTICIPANT = Command("identity", create_participant, "ParticipantCreated")
CREATE_SESSION = Command("session", create_session, "SessionCreated")


@pytest.fixture
async def caller(installed: Installation) -> AsyncIterator[CortexClient]:
    """A caller whose replies arrive."""
    async with CortexClient(installed.addresses, str(uuid.uuid4())) as cortex:
        yield cortex


async def happened(caller: CortexClient, command: Command) -> int:
    """How often the command has led to its event."""
    events = await stored(getattr(caller, command.service))
    kinds = Counter(event.topic.rpartition(".")[2] for event in events if event.project_id == caller.project_id)
    return kinds[command.event]


@pytest.mark.parametrize("command", [CREATE_PARTICIPANT, CREATE_SESSION], ids=lambda command: command.service)
async def test_the_reply_to_the_caller_is_lost(command: Command, installed: Installation, caller: CortexClient) -> None:
    """The service has done it and the caller does not know: asked again it gets the same resource."""
    async with fault_relay(LOOPBACK, installed.ports[command.service]) as link:
        through_link = replace(installed.addresses, **{command.service: link.address})
        async with CortexClient(through_link, caller.project_id) as deaf:
            request_id = new_request_id()
            await stored(getattr(deaf, command.service))
            await link.eat()
            with pytest.raises(TimedOut):
                await command.ask(deaf, request_id, GIVES_UP)
            await eventually(lambda: happened(caller, command))
            await link.heal()
            again = await command.ask(deaf, request_id, PATIENT)
    assert await command.ask(caller, request_id, PATIENT) == again
    assert again[1]
    assert await happened(caller, command) == 1


async def test_the_reply_of_the_database_is_lost(installed: Installation, caller: CortexClient) -> None:
    """The service sends the same batch again, learns that it was stored, and its caller hears only that it is done."""
    async with fault_relay(LOOPBACK, installed.servers.postgres.port) as link:
        dsn = installed.servers.environments["identity"]["CORTEX_POSTGRES_WRITER_DSN"]
        port = free_port()
        replica = installed.replica("identity", port)
        await replica.start({"CORTEX_POSTGRES_WRITER_DSN": dsn_with(dsn, port=str(link.port))})
        await replica.until_ready(lambda: is_serving(f"{LOOPBACK}:{port}"))
        try:
            await it_is_done_once(replace(installed.addresses, identity=f"{LOOPBACK}:{port}"), caller, link)
        finally:
            await replica.stop()


async def it_is_done_once(addresses: Addresses, caller: CortexClient, link: FaultRelay) -> None:
    async with CortexClient(addresses, caller.project_id) as through_link:
        await through_link.create_participant("bob")
        await link.eat()
        asked = asyncio.create_task(through_link.create_participant("ada", timeout=PATIENT))
        await eventually(lambda: is_known(caller, "ada"))
        await link.heal()
        answer = await asked
    assert answer.created
    assert answer.participant.id == (await caller.create_participant("ada")).participant.id
    assert await happened(caller, CREATE_PARTICIPANT) == 2


async def is_known(caller: CortexClient, user: str) -> bool:
    return user.encode() in b"".join([event.data for event in await stored(caller.identity)])
