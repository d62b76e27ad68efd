"""Traffic around a fault, and afterwards the checker's verdict: nothing lost, nothing twice."""

import uuid
from collections.abc import AsyncIterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from cortex_client.client import Addresses

from tests.faults.checked_speech import Expected, cut_of, utterances
from tests.faults.checker import findings
from tests.faults.gathering import Followed, following, gathered
from tests.faults.installation import Installation
from tests.faults.ledger import Ledger
from tests.faults.speech import Voice
from tests.faults.traffic import SPEED, Traffic, traffic


@dataclass
class Trial:
    """Traffic in a project of its own, and what it should come to.

    Attributes:
        installed: what it runs on.
        voices: who speaks in the rooms.
        expected: what an uninterrupted run heard of them.
        holes: positions that a service's stream lacks; a test that deletes messages adds them.
        deleted: positions that it may lack: they were deleted when its relay may still have noticed.
    """

    installed: Installation
    voices: Sequence[Voice]
    expected: Expected
    holes: dict[str, AbstractSet[int]] = field(default_factory=dict)
    deleted: dict[str, AbstractSet[int]] = field(default_factory=dict)

    @asynccontextmanager
    async def nothing_is_lost(self, *other_ways: Addresses, speed: float = SPEED) -> AsyncIterator[Traffic]:
        """Traffic while the context lasts; at its end everything that was acknowledged is there, once and in order.

        Args:
            other_ways: other replicas, which a part of the traffic takes.
            speed: seconds of the meeting in one.

        Raises:
            AssertionError: something is lost, doubled, out of order or attributed wrongly; says what.
        """
        project_id = str(uuid.uuid4())
        async with following(self.installed.servers.nats.url, project_id) as followed:
            ways = [self.installed.addresses, *other_ways]
            async with traffic(ways, project_id, self.voices, speed) as goes_on:
                yield goes_on
            found = await self.verdict(goes_on.ledger, followed)
        assert found == [], "\n".join(found)

    async def verdict(self, ledger: Ledger, followed: Followed) -> Sequence[str]:
        """What is wrong with a project."""
        evidence = await gathered(self.installed, ledger, followed)
        holes = {
            service: self.holes.get(service, set())
            | (self.deleted.get(service, set()) - {message.position for message in there})
            for service, there in evidence.streams.items()
        }
        return findings(ledger, evidence, self.expected, holes)


async def heard_in_calm(installed: Installation, voices: Sequence[Voice]) -> Expected:
    """What is heard of the voices when nothing is killed."""
    project_id = str(uuid.uuid4())
    async with traffic([installed.addresses], project_id, voices) as goes_on:
        await goes_on.goes_on()
    evidence = await gathered(installed, goes_on.ledger, {})
    heard = utterances(evidence, project_id)
    return {user: [cut_of(event) for _, event in heard[peer]] for peer, user in goes_on.ledger.users.items()}
