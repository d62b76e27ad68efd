"""What may be asked of identity (1). New ids and the time arrive as fields, put there by the caller's side."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cortex_identity.domain.ids import ParticipantId, SessionId
from cortex_identity.domain.profile import Profile


@dataclass(frozen=True)
class ExternalUser:
    """Somebody whom the integrator knows by an id of its own."""

    external_user_id: str


@dataclass(frozen=True)
class AnonymousPeer:
    """A connection to a session's room whose client named no user."""

    session_id: SessionId
    peer_id: str


Person = ExternalUser | AnonymousPeer


@dataclass(frozen=True)
class CreateParticipant:
    """Take somebody in who was never seen in the project."""

    participant_id: ParticipantId
    person: Person
    profile: Profile
    at: datetime


@dataclass(frozen=True)
class FindParticipant:
    """Answer with somebody who is known; changes nothing, and makes the asking repeatable."""

    participant_id: ParticipantId


@dataclass(frozen=True)
class UpdateParticipant:
    """Change what is known about somebody.

    Attributes:
        profile: the new values.
        fields: the fields of the profile to take from it.
        expected_version: the version that the caller saw; None when any will do.
    """

    participant_id: ParticipantId
    profile: Profile
    fields: Sequence[str]
    expected_version: int | None
    at: datetime


ParticipantCommand = CreateParticipant | FindParticipant | UpdateParticipant
