"""What this service's events are, and what is derived from them. Names are never changed: checkpoints use them."""

from cortex.identity.v1.events_pb2 import ParticipantCreated
from cortex_eventing.catalogue import Catalogue
from cortex_eventing.claims import ClaimChange
from cortex_eventing.projection import Projection
from cortex_eventing.recorded import Recorded
from google.protobuf.message import Message

from cortex_identity.domain.claims import claim_taken_with
from cortex_identity.domain.decisions import PARTICIPANTS as DECIDER
from cortex_identity.read_models.participants import PARTICIPANTS

EVENTS = Catalogue(DECIDER.events)
"""The events of this service."""

PARTICIPANT_LIST = Projection("participants", (PARTICIPANTS,))
"""The read models that are folded together."""


def claims_of(recorded: Recorded[Message]) -> ClaimChange:
    """The claims that changed hands with an event."""
    match recorded.event:
        case ParticipantCreated() as created:
            return ClaimChange(take=(claim_taken_with(created),))
    return ClaimChange()
