"""Kill -9 of every service at every place where it could hurt, under traffic."""

import asyncio
from collections.abc import Sequence

import pytest
from cortex_eventing.failpoints import declared
from cortex_identity import wiring as identity
from cortex_session import wiring as session
from cortex_transcriber import wiring as transcriber

from tests.faults.installation import SERVICES, Installation
from tests.faults.verdict import Trial
from tests.faults.walks import WALKS

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]

OF_OTHER_TESTS = "tests."


def test_every_failpoint_has_its_turn() -> None:
    """A failpoint that somebody declares is killed at, or this fails."""
    assert {identity.SERVICE, session.SERVICE, transcriber.SERVICE} == set(SERVICES)
    walked = {failpoint for _, failpoints in WALKS.values() for failpoint in failpoints}
    assert walked == {name for name in declared() if not name.startswith(OF_OTHER_TESTS)}


@pytest.mark.parametrize("walk", WALKS)
async def test_killed_while(walk: str, trial: Trial, installed: Installation) -> None:
    """Each service dies at each of the failpoints, comes back, and nothing acknowledged is lost or doubled."""
    services, failpoints = WALKS[walk]
    await installed.kill(*services)
    async with trial.nothing_is_lost() as traffic:
        async with asyncio.TaskGroup() as walking:
            for service in services:
                walking.create_task(dies_at_each(installed, service, failpoints))
        await traffic.goes_on()


async def dies_at_each(installed: Installation, service: str, failpoints: Sequence[str]) -> None:
    """Start a service again and again, each time to its death at another place; at last it lives."""
    for failpoint in failpoints:
        await installed.start(service, f"{failpoint}=kill")
        await installed.died(service, failpoint)
    await installed.start(service)
