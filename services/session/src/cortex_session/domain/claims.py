"""What a session holds for itself alone. The kinds are never renamed."""

from cortex_eventing.decider import Claim

from cortex_session.domain.session import Room

ACTIVE_ROOM = "session_active_room"


def room_claim(room: Room, session_id: str) -> Claim:
    """One active session per room and project."""
    # The length keeps gateways and rooms apart that would read the same when joined.
    return Claim(ACTIVE_ROOM, f"{len(room.gateway)}:{room.gateway}{room.external_room_id}", owner=session_id)
