"""Whatever is done to the streams while the services are down, they make them whole when they are back."""

from collections.abc import Set as AbstractSet
from functools import partial

import pytest
from cortex_testkit.waiting import eventually

from tests.faults.damage import Damage, alarm, delete, delete_tail, positions, purge, purge_subject
from tests.faults.evidence import STREAMS
from tests.faults.gathering import jetstream, on_stream
from tests.faults.installation import SERVICES, Installation
from tests.faults.verdict import Trial

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]


async def damaged(installed: Installation, damage: Damage) -> dict[str, AbstractSet[int]]:
    """Kill the services and damage their streams; the positions that each has lost."""
    before = {service: await positions(installed, service) for service in SERVICES}
    await installed.kill(*SERVICES)
    async with jetstream(installed.servers.nats.url) as broker:
        for service in SERVICES:
            await damage(broker, STREAMS[service])
    return before


async def back(installed: Installation) -> None:
    for service in SERVICES:
        await installed.start(service)


@pytest.mark.parametrize("damage", [delete_tail, delete])
async def test_what_is_missing_at_the_end_is_published_again(
    damage: Damage, trial: Trial, installed: Installation
) -> None:
    """A lost tail, and a lost stream: the store has it all, and readers see nothing twice."""
    async with trial.nothing_is_lost() as traffic:
        await traffic.goes_on()
        await damaged(installed, damage)
        await back(installed)
        await traffic.goes_on()


async def test_a_purged_subject_is_a_hole_that_hurts_nobody(trial: Trial, installed: Installation) -> None:
    """What was deleted in the midst of a stream stays away, and whoever reads the stream takes it from the feed."""
    async with trial.nothing_is_lost() as traffic:
        await traffic.goes_on()
        before = await damaged(installed, purge_subject)
        for service in SERVICES:
            trial.holes[service] = before[service] - await positions(installed, service)
            assert trial.holes[service]
        await back(installed)
        await traffic.goes_on()


async def test_an_emptied_stream_waits_for_the_operator(trial: Trial, installed: Installation) -> None:
    """The services go on and raise an alarm; the command that it names lets the stream be filled again."""
    async with trial.nothing_is_lost() as traffic:
        await traffic.goes_on()
        said = {service: len(installed.output(service)) for service in SERVICES}
        await damaged(installed, purge)
        await back(installed)
        for service in SERVICES:
            await eventually(partial(alarm, installed, service, said[service]))
        await traffic.goes_on()
        assert [await on_stream(installed, service) for service in SERVICES] == [[], [], []]
        for service in SERVICES:
            await installed.run(service, alarm(installed, service, said[service]), "--yes")
        await traffic.goes_on()
