"""Taking people in and finding them again: the one flow of identity that touches more than one aggregate."""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cortex_eventing.clock import Clock, Ids
from cortex_eventing.command_handling import CommandHandling, Done
from cortex_eventing.errors import ClaimTaken, NotFound
from cortex_runtime.asked import Asked

from cortex_identity.domain.claims import claim_of
from cortex_identity.domain.commands import (
    CreateParticipant,
    FindParticipant,
    ParticipantCommand,
    Person,
    UpdateParticipant,
)
from cortex_identity.domain.ids import ParticipantId
from cortex_identity.domain.participant import Participant, ParticipantEvent
from cortex_identity.domain.profile import Profile

ClaimOwner = Callable[[str, str, str], Awaitable[str | None]]
"""Which aggregate holds a value: project, kind and value in, the aggregate's id out. `EventStore.claim_owner`."""


@dataclass(frozen=True)
class Known:
    """A participant as it is now.

    Attributes:
        created: whether this request, when it first came, took it in.
        position: that the answer holds at.
    """

    participant: Participant
    created: bool
    position: int


class Participants:
    """The participants of every project."""

    def __init__(
        self,
        handling: CommandHandling[ParticipantCommand, Participant, ParticipantEvent],
        claim_owner: ClaimOwner,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._handling = handling
        self._claim_owner = claim_owner
        self._clock = clock
        self._ids = ids

    async def create_or_find(self, person: Person, profile: Profile, asked: Asked) -> Known:
        """The participant that this person is: as it is when it is known, else a new one with the profile.

        Nobody looks first whether the person is known: the store says so under its lock, and whom it is. So whoever
        loses a race for the same person gets the winner's participant.
        """
        new = CreateParticipant(ParticipantId(self._ids.new()), person, profile, self._clock.now())
        try:
            return await self._handle(new, asked)
        except ClaimTaken as taken:
            owner = ParticipantId(uuid.UUID(taken.taken.owner))
        return await self._handle(FindParticipant(owner), asked)

    async def update(self, command: UpdateParticipant, asked: Asked) -> Known:
        """The participant after a change."""
        return await self._handle(command, asked)

    async def get(self, participant_id: uuid.UUID, project_id: str) -> Participant:
        """The participant as it is now.

        Raises:
            NotFound: there is none, or it is another project's.
        """
        participant, _ = await self._handling.load(participant_id, project_id)
        if participant is None:
            raise NotFound("participant", field="participant_id")
        return participant

    async def lookup(self, person: Person, project_id: str) -> Participant:
        """The participant that this person is.

        Raises:
            NotFound: it was never seen in this project.
        """
        owner = await self._owner_of(person, project_id)
        if owner is None:
            raise NotFound("participant", field="external_user_id")
        return await self.get(uuid.UUID(owner), project_id)

    async def _owner_of(self, person: Person, project_id: str) -> str | None:
        return await self._claim_owner(project_id, *claim_of(person))

    async def _handle(self, command: ParticipantCommand, asked: Asked) -> Known:
        done = await self._handling.handle(command, asked.origin, asked.key, asked.deadline)
        return Known(await self._participant(done, asked.origin.project_id), done.changed, done.position)

    async def _participant(self, done: Done[Participant], project_id: str) -> Participant:
        """What was decided on; for a repeat what the first answer was about, which may be another one."""
        if done.repeated or done.state is None:
            return await self.get(uuid.UUID(done.resource_id), project_id)
        return done.state
