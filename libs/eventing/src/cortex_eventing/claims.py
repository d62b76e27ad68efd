"""Claims, told again from the events: after a restore, or with a new claim key, the table is made anew."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from google.protobuf.message import Message

from cortex_eventing.catalogue import Catalogue
from cortex_eventing.decider import Claim
from cortex_eventing.ports import EventFeed
from cortex_eventing.recorded import Recorded

PAGE = 500
"""Events read at a time."""


@dataclass(frozen=True)
class ClaimChange:
    """The claims that changed hands with an event. Released before they are taken."""

    take: tuple[Claim, ...] = ()
    release: tuple[Claim, ...] = ()


@dataclass(frozen=True)
class ClaimedValue:
    """A value that somebody holds in a project."""

    project_id: str
    kind: str
    value: str


ClaimsOf = Callable[[Recorded[Message]], ClaimChange]
"""What a service says of its events: the same claims that its deciders take and release with them."""


class ClaimStore(EventFeed, Protocol):
    """A store whose claims can be replaced."""

    async def replace_claims(self, at: int, held: Mapping[ClaimedValue, str]) -> bool:
        """Put these claims in the place of all there are, if `at` is still the head; says whether it was."""
        ...


async def rebuild_claims(store: ClaimStore, catalogue: Catalogue, claims_of: ClaimsOf) -> int:
    """Fold all events into claims and put them in the place of those there are; says how many.

    Events that are stored meanwhile are folded too, so the service may go on.

    Raises:
        Unavailable: the store is away; nothing was replaced.
    """
    held: dict[ClaimedValue, str] = {}
    position = 0
    while True:
        page = await store.read(position, PAGE)
        for raw in page.events:
            recorded = catalogue.parse(raw)
            _apply(held, recorded.project_id, claims_of(recorded))
        position = page.read_up_to
        if page.at_head and await store.replace_claims(position, held):
            return len(held)


def _apply(held: dict[ClaimedValue, str], project_id: str, change: ClaimChange) -> None:
    for claim in change.release:
        value = ClaimedValue(project_id, claim.kind, claim.value)
        if held.get(value) == claim.owner:
            del held[value]
    for claim in change.take:
        held.setdefault(ClaimedValue(project_id, claim.kind, claim.value), claim.owner)
