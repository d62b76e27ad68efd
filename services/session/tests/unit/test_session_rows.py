import uuid
from datetime import UTC, datetime, timedelta

import pytest
from cortex.session.v1.events_pb2 import BotStatusChanged, SessionCreated, SessionEnded
from cortex.session.v1.resources_pb2 import (
    BOT_STATUS_REQUESTED,
    END_REASON_STOPPED,
    SESSION_STATUS_ACTIVE,
    SESSION_STATUS_ENDED,
)
from cortex_eventing.times import span, stamp
from cortex_session.domain.session import SessionEvent
from cortex_session.domain.sessions import SESSIONS as DECIDER
from cortex_session.read_models.sessions import SESSIONS
from cortex_testkit.read_models import PROJECT_OF_ROWS, rows_after

pytestmark = pytest.mark.unit

ZERO = datetime(2026, 11, 21, 10, tzinfo=UTC)
ID = uuid.UUID("018f0000-0000-7000-8000-00000000005e")
CREATED = SessionCreated(
    session_id=str(ID),
    external_room_id="lobby-7",
    gateway="cortex://rooms",
    title="Raid",
    idle_timeout=span(timedelta(minutes=10)),
    created_at=stamp(ZERO),
)
REQUESTED = BotStatusChanged(session_id=str(ID), status=BOT_STATUS_REQUESTED, changed_at=stamp(ZERO))
ENDED = SessionEnded(session_id=str(ID), reason=END_REASON_STOPPED, ended_at=stamp(ZERO + timedelta(hours=1)))


@pytest.mark.parametrize("events", [[CREATED], [CREATED, REQUESTED], [CREATED, REQUESTED, ENDED], [CREATED, ENDED]])
def test_a_row_says_what_the_session_itself_says(events: list[SessionEvent]) -> None:
    """List and Get never differ, whatever happened."""
    (row,) = rows_after(SESSIONS, *events)
    assert row.session == DECIDER.fold(events)


def test_a_row_has_the_status_that_lists_filter_by() -> None:
    """Active from creation on, ended for ever."""
    (active,) = rows_after(SESSIONS, CREATED, REQUESTED)
    (ended,) = rows_after(SESSIONS, CREATED, REQUESTED, ENDED)
    assert (active.status, ended.status) == (SESSION_STATUS_ACTIVE, SESSION_STATUS_ENDED)


def test_a_row_keeps_its_place() -> None:
    """A change does not move a session in the list, whose order is that of creation."""
    other = SessionCreated(session_id=str(uuid.UUID(int=1)), created_at=stamp(ZERO))
    _, row = rows_after(SESSIONS, other, CREATED, ENDED)
    assert (row.session_id, row.created_position, row.project_id) == (ID, 2, PROJECT_OF_ROWS)


def test_an_end_of_nothing_makes_no_row() -> None:
    """What was deleted meanwhile does not come back by half."""
    assert rows_after(SESSIONS, ENDED) == []
