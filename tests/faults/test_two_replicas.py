"""Two processes of every service: one of them relays and projects, and it is not always the same one."""

from collections.abc import AsyncIterator
from functools import partial

import pytest
from cortex_client.client import Addresses
from cortex_runtime.adapters.embedded.ports import LOOPBACK, free_port
from cortex_testkit.waiting import eventually

from tests.faults.gathering import rows
from tests.faults.installation import SERVICES, Installation, is_serving
from tests.faults.verdict import Trial

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]

UNSEATINGS = 3

HOLDER = """
SELECT pid FROM pg_stat_activity
WHERE application_name = 'cortex-seat-{service}'
  AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted)
"""


@pytest.fixture
async def others(installed: Installation) -> AsyncIterator[Addresses]:
    """Where the second replicas listen."""
    ports = {service: free_port() for service in SERVICES}
    replicas = {service: installed.replica(service, port) for service, port in ports.items()}
    for service, replica in replicas.items():
        await replica.start()
        await replica.until_ready(partial(is_serving, f"{LOOPBACK}:{ports[service]}"))
    yield Addresses(**{service: f"{LOOPBACK}:{port}" for service, port in ports.items()})
    for replica in replicas.values():
        await replica.stop()


async def holder(installed: Installation, service: str) -> int | None:
    """The database's process that holds a service's seat."""
    found = await rows(installed, service, HOLDER.format(service=service))
    return int(found[0][0]) if found else None


async def unseat(installed: Installation, service: str) -> None:
    """Take the seat from whoever has it, and wait until somebody has it again."""
    await eventually(lambda: holder(installed, service))
    before = await holder(installed, service)
    await rows(installed, service, f"SELECT pg_terminate_backend({before})")

    async def taken() -> bool:
        return await holder(installed, service) not in {None, before}

    await eventually(taken)


async def test_the_seat_changes_hands(trial: Trial, installed: Installation, others: Addresses) -> None:
    """Whoever leads loses the seat again and again, and the first replicas are killed: nothing is lost or doubled."""
    async with trial.nothing_is_lost(others) as traffic:
        for _ in range(UNSEATINGS):
            for service in SERVICES:
                await unseat(installed, service)
            await traffic.goes_on()
        await installed.kill(*SERVICES)
        for service in SERVICES:
            await eventually(partial(holder, installed, service))
            await installed.start(service)
        await traffic.goes_on(rooms=2)
