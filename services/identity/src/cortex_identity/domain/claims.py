"""What makes a participant the only one of its kind in a project. The kinds are never renamed."""

import uuid
from typing import NamedTuple

from cortex.identity.v1.events_pb2 import ParticipantCreated
from cortex_eventing.decider import Claim

from cortex_identity.domain.commands import AnonymousPeer, ExternalUser, Person
from cortex_identity.domain.ids import SessionId


class Claimed(NamedTuple):
    """What a person is found by."""

    kind: str
    value: str


def claim_of(person: Person) -> Claimed:
    """The value that only one participant of a project may hold."""
    match person:
        case ExternalUser(external_user_id):
            return Claimed("participant_external_user_id", external_user_id)
        case AnonymousPeer(session_id, peer_id):
            # The session's id is of fixed length, so no other session and peer give the same text.
            return Claimed("participant_anonymous_peer", f"{session_id}/{peer_id}")


def claim_taken_with(created: ParticipantCreated) -> Claim:
    """The claim that was taken with a participant's creation."""
    session_id, peer_id = created.anonymous_session_id, created.anonymous_peer_id
    person: Person = ExternalUser(created.external_user_id)
    if session_id:
        person = AnonymousPeer(SessionId(uuid.UUID(session_id)), peer_id)
    return Claim(*claim_of(person), owner=created.participant_id)
