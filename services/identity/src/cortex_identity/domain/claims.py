"""What makes a participant the only one of its kind in a project. The kinds are never renamed."""

from typing import NamedTuple

from cortex_identity.domain.commands import AnonymousPeer, ExternalUser, Person


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
