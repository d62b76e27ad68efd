"""Which participants does a project have, oldest first?"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from cortex.identity.v1.events_pb2 import ParticipantCreated, ParticipantUpdated
from cortex_eventing.read_model import Key, ReadModel
from cortex_eventing.recorded import Recorded
from cortex_eventing.uuids import uuid_of

from cortex_identity.domain.participant import Participant, ParticipantEvent, evolve
from cortex_identity.domain.profile import Profile


@dataclass(frozen=True)
class ParticipantRow:
    """A participant as it is now; its fields mean what those of `Participant` mean.

    Attributes:
        user_data: the serialized Struct: JSON columns refuse what a Struct may hold.
        created_position: where the event that created it is stored; the order they came in.
    """

    project_id: uuid.UUID
    participant_id: uuid.UUID
    external_user_id: str
    display_name: str
    email: str
    user_data: bytes
    created_at: datetime
    updated_at: datetime
    version: int
    created_position: int

    @property
    def participant(self) -> Participant:
        """The participant that the row tells of."""
        return Participant(
            participant_id=str(self.participant_id),
            external_user_id=self.external_user_id,
            profile=Profile(self.display_name, self.email, self.user_data),
            created_at=self.created_at,
            updated_at=self.updated_at,
            version=self.version,
        )


def project(row: ParticipantRow | None, recorded: Recorded[ParticipantEvent]) -> ParticipantRow | None:
    """The row after an event: what the aggregate itself would say."""
    match recorded.event, row:
        case ParticipantCreated() as created, None:
            return _row(evolve(None, created), recorded.project_id, recorded.position)
        case ParticipantUpdated() as updated, ParticipantRow():
            return _row(evolve(row.participant, updated), recorded.project_id, row.created_position)
    return row


def _row(participant: Participant, project_id: str, created_position: int) -> ParticipantRow:
    return ParticipantRow(
        project_id=uuid_of(project_id),
        participant_id=uuid_of(participant.participant_id),
        external_user_id=participant.external_user_id,
        display_name=participant.profile.display_name,
        email=participant.profile.email,
        user_data=participant.profile.user_data,
        created_at=participant.created_at,
        updated_at=participant.updated_at,
        version=participant.version,
        created_position=created_position,
    )


def _key_of(recorded: Recorded[ParticipantEvent]) -> Key:
    return (uuid_of(recorded.event.participant_id),)


PARTICIPANTS = ReadModel(
    table="participants",
    row=ParticipantRow,
    key=("participant_id",),
    listens_to=(ParticipantCreated, ParticipantUpdated),
    key_of=_key_of,
    project=project,
)

PAGE = """
SELECT * FROM participants
WHERE project_id = %(project_id)s
  AND (%(external_user_ids)s::text[] IS NULL OR external_user_id = ANY(%(external_user_ids)s))
  AND created_position > %(after)s
ORDER BY created_position
LIMIT %(limit)s
"""
"""Participants who came after a position, oldest first; no external user ids mean any."""
