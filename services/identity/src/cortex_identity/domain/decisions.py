"""What a participant may do, and when it refuses (2)."""

from collections.abc import Sequence

from cortex.identity.v1.events_pb2 import ParticipantCreated, ParticipantUpdated
from cortex_eventing.decider import Claim, Decider, Decision
from cortex_eventing.errors import AlreadyExists, InvalidInput, NotFound, Outdated
from cortex_eventing.times import stamp

from cortex_identity.domain.claims import claim_of
from cortex_identity.domain.commands import (
    AnonymousPeer,
    CreateParticipant,
    ExternalUser,
    FindParticipant,
    ParticipantCommand,
    UpdateParticipant,
)
from cortex_identity.domain.participant import Participant, ParticipantEvent, evolve
from cortex_identity.domain.profile import CHANGEABLE, written

NOTHING: Decision[ParticipantEvent] = Decision()


def decide(command: ParticipantCommand, participant: Participant | None) -> Decision[ParticipantEvent]:
    """The events that a command leads to."""
    match command, participant:
        case CreateParticipant(), None:
            return _create(command)
        case _, None:
            raise NotFound("participant", field="participant_id")
        case CreateParticipant(), Participant():
            raise AlreadyExists("this participant exists")
        case FindParticipant(), Participant():
            return NOTHING
        case UpdateParticipant(), Participant():
            return _update(command, participant)


def _create(command: CreateParticipant) -> Decision[ParticipantEvent]:
    created = ParticipantCreated(
        participant_id=str(command.participant_id),
        profile=written(command.profile),
        created_at=stamp(command.at),
    )
    match command.person:
        case ExternalUser(external_user_id):
            created.external_user_id = external_user_id
        case AnonymousPeer(session_id, peer_id):
            created.anonymous_session_id = str(session_id)
            created.anonymous_peer_id = peer_id
    return Decision([created], take=[Claim(*claim_of(command.person), owner=str(command.participant_id))])


def _update(command: UpdateParticipant, participant: Participant) -> Decision[ParticipantEvent]:
    _must_be_changeable(command.fields)
    _must_be_current(command.expected_version, participant)
    profile = participant.profile.updated(command.profile, command.fields)
    changed = participant.profile.differing(profile)
    if not changed:
        return NOTHING  # what the caller wants is so already
    return Decision(
        [
            ParticipantUpdated(
                participant_id=participant.participant_id,
                profile=written(profile),
                previous=written(participant.profile.only(changed)),
                changed_fields=changed,
                updated_at=stamp(command.at),
            )
        ]
    )


def _must_be_changeable(fields: Sequence[str]) -> None:
    if not fields:
        raise InvalidInput("update_mask must name at least one field", reason="MASK_EMPTY", field="update_mask")
    if not set(fields) <= set(CHANGEABLE):
        rule = f"update_mask may name only {', '.join(CHANGEABLE)}"
        raise InvalidInput(rule, reason="MASK_FIELD_UNKNOWN", field="update_mask")


def _must_be_current(expected_version: int | None, participant: Participant) -> None:
    if expected_version not in (None, participant.version):
        raise Outdated("the etag is not the current one", field="etag")


PARTICIPANTS: Decider[ParticipantCommand, Participant, ParticipantEvent] = Decider(
    name="participant",
    aggregate_id=lambda command: command.participant_id,
    decide=decide,
    evolve=evolve,
    events=(ParticipantCreated, ParticipantUpdated),
)
