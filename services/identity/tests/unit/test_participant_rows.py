import uuid
from datetime import UTC, datetime, timedelta

import pytest
from cortex.identity.v1.events_pb2 import ParticipantCreated, ParticipantProfile, ParticipantUpdated
from cortex_eventing.times import stamp
from cortex_identity.domain.decisions import PARTICIPANTS as DECIDER
from cortex_identity.read_models.participants import PARTICIPANTS
from cortex_testkit.read_models import PROJECT_OF_ROWS, rows_after
from google.protobuf.struct_pb2 import Struct

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
ADA = uuid.UUID("018f0000-0000-7000-8000-00000000000a")
DATA = Struct()
DATA.update({"team": "red", "levels": [1, 2]})
CREATED = ParticipantCreated(
    participant_id=str(ADA),
    external_user_id="u-1",
    profile=ParticipantProfile(display_name="Ada", user_data=DATA),
    created_at=stamp(NOW),
)
UPDATED = ParticipantUpdated(
    participant_id=str(ADA),
    profile=ParticipantProfile(display_name="Ada L.", email="ada@example.org", user_data=DATA),
    updated_at=stamp(NOW + timedelta(minutes=1)),
)


@pytest.mark.parametrize("events", [[CREATED], [CREATED, UPDATED], [CREATED, UPDATED, UPDATED]])
def test_a_row_says_what_the_participant_itself_says(events: list[ParticipantCreated | ParticipantUpdated]) -> None:
    """List and Get never differ, whatever happened."""
    (row,) = rows_after(PARTICIPANTS, *events)
    assert row.participant == DECIDER.fold(events)


def test_a_row_keeps_its_place() -> None:
    """A change does not move a participant in the list, whose order is that of creation."""
    other = ParticipantCreated(participant_id=str(uuid.UUID(int=1)), created_at=stamp(NOW))
    _, ada = rows_after(PARTICIPANTS, other, CREATED, UPDATED)
    assert (ada.participant_id, ada.created_position, ada.project_id) == (ADA, 2, PROJECT_OF_ROWS)


def test_an_update_of_nobody_makes_no_row() -> None:
    """What was erased meanwhile does not come back by half."""
    assert rows_after(PARTICIPANTS, UPDATED) == []
