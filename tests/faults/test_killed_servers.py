"""Kill -9 of PostgreSQL and of nats-server, and the loss of everything that nats-server held, under traffic."""

import pytest

from tests.faults.installation import Installation
from tests.faults.verdict import Trial

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]


async def test_nats_server_is_killed(trial: Trial, installed: Installation) -> None:
    """Without a broker commands are answered and speech becomes text; with it again all of it is published."""
    async with trial.nothing_is_lost() as traffic:
        await traffic.goes_on()
        await installed.servers.nats.kill()
        await traffic.goes_on()
        await installed.servers.nats.restart()
        await traffic.goes_on()


async def test_nats_server_is_wiped(trial: Trial, installed: Installation) -> None:
    """The streams are filled again from the stores, and readers and consumers go on where they were."""
    async with trial.nothing_is_lost() as traffic:
        await traffic.goes_on()
        await installed.servers.nats.wipe()
        await installed.servers.nats.restart()
        await traffic.goes_on()


async def test_postgres_is_killed(trial: Trial, installed: Installation) -> None:
    """What was committed is there, what was not is asked again, and no service ends."""
    pids = {name: installed.pid(name) for name in installed.ports}
    async with trial.nothing_is_lost() as traffic:
        await traffic.goes_on()
        await installed.servers.postgres.kill()
        await installed.servers.postgres.restart()
        await traffic.goes_on()
    assert {name: installed.pid(name) for name in installed.ports if installed.running(name)} == pids


async def test_everything_is_killed_at_once(trial: Trial, installed: Installation) -> None:
    """The machine loses its power and comes back, with the broker's memory gone."""
    async with trial.nothing_is_lost() as traffic:
        await traffic.goes_on()
        await installed.kill(*installed.ports)
        await installed.servers.postgres.kill()
        await installed.servers.nats.wipe()
        await installed.servers.nats.restart()
        await installed.servers.postgres.restart()
        for name in installed.ports:
            await installed.start(name)
        await traffic.goes_on()
