"""A participant as its events tell it (3)."""

from dataclasses import dataclass, replace
from datetime import datetime

from cortex.identity.v1.events_pb2 import ParticipantCreated, ParticipantUpdated
from cortex_eventing.errors import Impossible
from cortex_eventing.times import time_of

from cortex_identity.domain.profile import Profile, profile_of

ParticipantEvent = ParticipantCreated | ParticipantUpdated


@dataclass(frozen=True)
class Participant:
    """The stable identity of a speaker in one project.

    Attributes:
        participant_id: its id, as canonical text.
        external_user_id: what the integrator calls this person; empty for a peer that named no user.
        profile: what is known about it.
        version: how often it changed, from 1.
    """

    participant_id: str
    external_user_id: str
    profile: Profile
    created_at: datetime
    updated_at: datetime
    version: int


def evolve(participant: Participant | None, event: ParticipantEvent) -> Participant:
    """The participant after an event."""
    match event, participant:
        case ParticipantCreated(), None:
            return _created(event)
        case ParticipantUpdated(), Participant():
            return replace(
                participant,
                profile=profile_of(event.profile),
                updated_at=time_of(event.updated_at),
                version=participant.version + 1,
            )
    raise Impossible(event, participant)


def _created(event: ParticipantCreated) -> Participant:
    created_at = time_of(event.created_at)
    return Participant(
        participant_id=event.participant_id,
        external_user_id=event.external_user_id,
        profile=profile_of(event.profile),
        created_at=created_at,
        updated_at=created_at,
        version=1,
    )
