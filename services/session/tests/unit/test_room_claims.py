import uuid

import pytest
from cortex.session.v1.events_pb2 import MessageCreated, SessionCreated, SessionEnded
from cortex_eventing.claims import ClaimChange
from cortex_session.derived import RoomClaims
from cortex_session.domain.claims import room_claim
from cortex_session.domain.session import Room
from cortex_testkit.read_models import recorded

pytestmark = pytest.mark.unit

ID = str(uuid.UUID(int=1))
CREATED = SessionCreated(session_id=ID, gateway="cortex://rooms", external_room_id="lobby-7")
CLAIM = room_claim(Room("cortex://rooms", "lobby-7"), ID)


def test_the_claims_are_those_that_the_decisions_took_and_released() -> None:
    """A session takes its room at its creation and gives it back at its end, once."""
    claims_of = RoomClaims()
    events = [CREATED, MessageCreated(session_id=ID), SessionEnded(session_id=ID), SessionEnded(session_id=ID)]
    assert [claims_of(recorded(event)) for event in events] == [
        ClaimChange(take=(CLAIM,)),
        ClaimChange(),
        ClaimChange(release=(CLAIM,)),
        ClaimChange(),
    ]
