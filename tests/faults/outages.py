"""What befalls two transcribers while a crowd speaks to them: deaths, good ends, and links that die without a word."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from random import Random

from cortex_runtime.adapters.embedded.ports import LOOPBACK, free_port
from cortex_testkit.fault_relay import FaultRelay, fault_relay
from cortex_testkit.processes import ServiceProcess
from cortex_testkit.waiting import eventually

from tests.faults.crowd import Crowd
from tests.faults.installation import Installation, is_serving

REPLICAS = 2

FIRST, LAST = 0.02, 0.75
"""Shares of the audio between which things happen: somebody speaks before, and has more to say after."""

COMES_WITHIN = 60.0
"""Seconds in which the crowd is heard so far, outages included."""


@dataclass(frozen=True)
class Replica:
    """A transcriber, and the link that bots reach it by."""

    name: str
    process: ServiceProcess
    link: FaultRelay
    environment: Mapping[str, str]

    async def kill(self, _: Crowd) -> None:
        """Kill -9, and start again."""
        await self.process.kill()
        await self.process.start(self.environment)

    async def terminate(self, _: Crowd) -> None:
        """SIGTERM, and start again once it has ended."""
        await self.process.stop()
        await self.process.start(self.environment)

    async def unplug(self, crowd: Crowd) -> None:
        """No byte passes and nobody is told, until the bots have found out; then comes what was on its way."""
        before = crowd.connections.total()
        await self.link.silence()
        await eventually(lambda: crowd.connections.total() > before or crowd.heard, COMES_WITHIN)
        await self.link.heal()


@dataclass(frozen=True)
class Outage:
    """Something that happens once so much was acknowledged."""

    share: float
    what: str
    strike: Callable[[Crowd], Awaitable[None]]


def planned(replica: Replica, chance: Random) -> Sequence[Outage]:
    """Each thing happens to it once, at any time and in any order."""
    strikes = [
        (f"{replica.name} {what}", strike)
        for what, strike in (
            ("killed", replica.kill),
            ("asked to stop", replica.terminate),
            ("unplugged", replica.unplug),
        )
    ]
    chance.shuffle(strikes)
    shares = sorted(chance.uniform(FIRST, LAST) for _ in strikes)
    return [Outage(share, *strike) for share, strike in zip(shares, strikes, strict=True)]


async def befall(crowd: Crowd, outages: Sequence[Outage], say: Callable[[str], None]) -> None:
    """Strike one replica at each one's time, whatever befalls the other one meanwhile."""
    for outage in outages:
        await eventually(partial(_is_due, crowd, outage), COMES_WITHIN)
        say(f"at {crowd.share:.2f}: {outage.what}")
        await outage.strike(crowd)


def _is_due(crowd: Crowd, outage: Outage) -> bool:
    return crowd.share >= outage.share


@asynccontextmanager
async def replicas(installed: Installation, environment: Mapping[str, str]) -> AsyncIterator[Sequence[Replica]]:
    """Two transcribers beside the installation's own, on its servers; `environment` is what is special about them."""
    async with AsyncExitStack() as open_links:
        made = []
        for number in range(REPLICAS):
            port = free_port()
            link = await open_links.enter_async_context(fault_relay(LOOPBACK, port))
            process = installed.replica("transcriber", port)
            open_links.push_async_callback(process.stop)
            await process.start(environment)
            made.append((Replica(f"replica {number + 1}", process, link, environment), port))
        for replica, port in made:
            await replica.process.until_ready(partial(is_serving, f"{LOOPBACK}:{port}"))
        yield [replica for replica, _ in made]
