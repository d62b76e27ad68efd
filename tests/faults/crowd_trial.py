"""A crowd, what befalls it, and the verdict: nothing lost, nothing twice, and the words of an undisturbed run."""

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from cortex_client.client import CortexClient

from tests.faults.checked_crowd import Finals, Reference, crowd_findings, finals_of, reference_of, script_findings
from tests.faults.crowd import Crowd, Member, crowd, one_of_each, rooms_of
from tests.faults.installation import Installation
from tests.faults.outages import Outage, Replica, befall, planned, replicas

MODEL: Mapping[str, str] = {
    "CORTEX_MODEL_RECOGNISER": "model",
    "CORTEX_MODEL_WORKERS": "1",
    "CORTEX_MODEL_MEASURE": "false",
}
"""One worker each, since two transcribers and all the bots share the machine, and nothing measured at each start."""


@dataclass(frozen=True)
class CrowdTrial:
    """Two transcribers beside an installation's own, and who speaks to them.

    Attributes:
        environment: what is special about the transcribers.
        scripted: whether their recogniser is.
        rooms: how many there are at once.
        say: told a line at a time.
    """

    installed: Installation
    environment: Mapping[str, str]
    scripted: bool
    rooms: int
    say: Callable[[str], None]

    async def run(self, chance: Random, times: int = 1) -> None:
        """So many crowds, one after the other.

        Raises:
            AssertionError: something is lost, doubled, out of order or other than it was said; says what.
        """
        async with replicas(self.installed, self.environment) as both:
            reference, found = await self._uninterrupted(both, chance)
            found += script_findings(reference)
            for _ in range(times):
                outages = [planned(replica, chance) for replica in both]
                gathered = await self._spoken(both, rooms_of(self.rooms, self.scripted), chance, outages)
                found += crowd_findings(*gathered, reference)
                assert not found, "\n".join(found)

    async def _uninterrupted(self, both: Sequence[Replica], chance: Random) -> tuple[Reference, list[str]]:
        gathered, finals = await self._spoken(both, one_of_each(self.scripted), chance)
        reference = reference_of(gathered, finals)
        return reference, [*crowd_findings(gathered, finals, reference)]

    async def _spoken(
        self,
        both: Sequence[Replica],
        rooms: Sequence[Sequence[Member]],
        chance: Random,
        outages: Sequence[Sequence[Outage]] = (),
    ) -> tuple[Crowd, Finals]:
        """Everything that a crowd has to say, in a project of its own, and what is stored of it."""
        addresses = [replica.link.address for replica in both]
        async with CortexClient(self.installed.addresses, str(uuid.uuid4())) as cortex:
            async with crowd(cortex, addresses, rooms, chance) as gathering, asyncio.TaskGroup() as befalling:
                for own in outages:
                    befalling.create_task(befall(gathering, own, self.say))
            return gathering, await finals_of(cortex)
