"""Participants with a history, decided by the service's own decider and appended in bulk."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from cortex_eventing.ports import Append, EventStore
from cortex_eventing.recorded import Origin
from cortex_identity.domain.commands import CreateParticipant, ExternalUser, ParticipantCommand, UpdateParticipant
from cortex_identity.domain.decisions import PARTICIPANTS, decide
from cortex_identity.domain.ids import ParticipantId
from cortex_identity.domain.participant import Participant
from cortex_identity.domain.profile import Profile

EVENTS_EACH = 10
"""As many as the aggregates of the floors have."""

PROJECT = "0190a5b2-7e64-7c1f-8f6c-6d1b5f0e9c11"
AT = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
AT_ONCE = 200


async def populate(store: EventStore, people: int, prefix: str = "person") -> Sequence[uuid.UUID]:
    """Store so many new participants, created and then updated; their ids.

    The first events of `AT_ONCE` people come first, then their second ones, and so on, as when many are at work at a
    time.
    """
    ids: list[uuid.UUID] = []
    for begin in range(0, people, AT_ONCE):
        group = [ParticipantId(uuid.uuid4()) for _ in range(begin, min(people, begin + AT_ONCE))]
        states: list[Participant | None] = [None] * len(group)
        for version in range(EVENTS_EACH):
            appends = []
            for index, participant_id in enumerate(group):
                command = _command(participant_id, version, f"{prefix} {begin + index}")
                append, states[index] = _append(command, states[index], version)
                appends.append(append)
            await store.append(appends)
        ids += group
    return ids


def _command(participant_id: ParticipantId, version: int, who: str) -> ParticipantCommand:
    profile = Profile(display_name=f"{who} is called name {version}", email=f"mail{version}@example.com")
    if version == 0:
        return CreateParticipant(participant_id, ExternalUser(who), profile, AT)
    return UpdateParticipant(participant_id, profile, ("display_name",), None, AT)


def _append(command: ParticipantCommand, state: Participant | None, version: int) -> tuple[Append, Participant | None]:
    decision = decide(command, state)
    append = Append(
        origin=Origin(PROJECT, actor="bench", correlation_id=str(command.participant_id)),
        aggregate_id=command.participant_id,
        expected_version=version,
        events=decision.events,
        recorded_at=AT,
        resource_id=str(command.participant_id),
        take=decision.take,
    )
    return append, PARTICIPANTS.fold(decision.events, state)
