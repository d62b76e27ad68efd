"""What this service's events are, and what is derived from them. Names are never changed: checkpoints use them."""

from cortex.session.v1.events_pb2 import SessionCreated, SessionEnded
from cortex_eventing.catalogue import Catalogue
from cortex_eventing.claims import ClaimChange
from cortex_eventing.decider import Claim
from cortex_eventing.projection import Projection
from cortex_eventing.recorded import Recorded
from google.protobuf.message import Message

from cortex_session.domain.attendance import ATTENDANCES as ATTENDANCE_DECIDER
from cortex_session.domain.claims import room_claim
from cortex_session.domain.messages import MESSAGES as MESSAGE_DECIDER
from cortex_session.domain.session import Room
from cortex_session.domain.sessions import SESSIONS as SESSION_DECIDER
from cortex_session.read_models.attendance import ATTENDANCES
from cortex_session.read_models.messages import MESSAGES
from cortex_session.read_models.sessions import SESSIONS

EVENTS = Catalogue([*SESSION_DECIDER.events, *MESSAGE_DECIDER.events, *ATTENDANCE_DECIDER.events])
"""The events of this service."""

ROOMS = Projection("rooms", (SESSIONS, MESSAGES, ATTENDANCES))
"""The read models that are folded together: what one of them shows, the others show too."""


class RoomClaims:
    """The claims that changed hands with each event, told in the order of the store: an end does not name its room."""

    def __init__(self) -> None:
        self._held: dict[str, Claim] = {}

    def __call__(self, recorded: Recorded[Message]) -> ClaimChange:
        """The claims of one event."""
        match recorded.event:
            case SessionCreated(session_id=session_id) as created:
                claim = room_claim(Room(created.gateway, created.external_room_id), session_id)
                self._held[session_id] = claim
                return ClaimChange(take=(claim,))
            case SessionEnded(session_id=session_id) if session_id in self._held:
                return ClaimChange(release=(self._held.pop(session_id),))
        return ClaimChange()
