"""Events reach their readers again and out of order; what can be read of them is exact all the same."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from itertools import count

import pytest
from cortex_client.client import CortexClient, new_request_id

from tests.faults.evidence import STREAMS
from tests.faults.gathering import READERS
from tests.faults.installation import SERVICES, Installation
from tests.faults.ledger import Ledger, Taken
from tests.faults.unruly_link import Disorder, unruly_link
from tests.faults.verdict import Trial

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]

SEED = 7
TIMES = 5
PARTY = 20

READ: Mapping[str, Sequence[str]] = {
    service: [STREAMS[source] for (owner, _), source in READERS.items() if owner == service] for service in SERVICES
}
"""The streams that each service reads, its own and those of others."""


@pytest.fixture
async def disorders(installed: Installation) -> AsyncIterator[Mapping[str, Disorder]]:
    """Each service reaches nats-server through an unruly link of its own."""
    async with AsyncExitStack() as links:
        found: dict[str, Disorder] = {}
        await installed.kill(*SERVICES)
        for number, service in enumerate(SERVICES):
            link = unruly_link(installed.servers.nats.port, SEED + 100 * number)
            address, found[service] = await links.enter_async_context(link)
            await installed.start(service, environment={"CORTEX_NATS_URL": address})
        await installed.serving()
        yield found
        await installed.kill(*SERVICES)


async def test_repeats_and_overtakers_change_nothing(
    trial: Trial, installed: Installation, disorders: Mapping[str, Disorder]
) -> None:
    """Every projection and every reaction gets events twice and behind later ones, and deals with each once."""
    async with trial.nothing_is_lost() as traffic:
        await traffic.goes_on()
        async with CortexClient(installed.addresses, traffic.ledger.project_id) as cortex:
            for party in count():
                await arrives(cortex, traffic.ledger, party)
                if all(disorder.reached(*READ[service], times=TIMES) for service, disorder in disorders.items()):
                    break


async def arrives(cortex: CortexClient, ledger: Ledger, party: int) -> None:
    """Many participants come at once, so that there is something to swap in identity, too."""
    users = [f"guest-{number}-of-party-{party}" for number in range(PARTY)]
    asked = {user: new_request_id() for user in users}
    answers = await asyncio.gather(
        *(cortex.create_participant(user, request_id=request_id) for user, request_id in asked.items())
    )
    for (user, request_id), answer in zip(asked.items(), answers, strict=True):
        ledger.participant(user, Taken(answer.participant.id, request_id, answer.created))
