import uuid
from datetime import UTC, datetime, timedelta

import pytest
from cortex.common.v1.claim_pb2 import CLAIM_UNVERIFIED
from cortex.session.v1.events_pb2 import MessageCreated, ParticipantJoined, ParticipantLeft
from cortex.session.v1.resources_pb2 import MESSAGE_TYPE_SYSTEM, MESSAGE_TYPE_USER
from cortex_eventing.times import stamp
from cortex_session.read_models.attendance import ATTENDANCES, AttendanceRow
from cortex_testkit.read_models import PROJECT_OF_ROWS, rows_after

pytestmark = pytest.mark.unit

ZERO = datetime(2026, 11, 21, 10, tzinfo=UTC)
SESSION, ADA, BOB = (uuid.UUID(int=number) for number in (1, 2, 3))


def at(minutes: int) -> datetime:
    return ZERO + timedelta(minutes=minutes)


def joined(peer_id: str, minutes: int, name: str = "Ada") -> ParticipantJoined:
    return ParticipantJoined(
        session_id=str(SESSION),
        participant_id=str(ADA),
        external_user_id="u-1",
        display_name=name,
        peer_id=peer_id,
        claim=CLAIM_UNVERIFIED,
        joined_at=stamp(at(minutes)),
    )


def left(peer_id: str, minutes: int) -> ParticipantLeft:
    return ParticipantLeft(
        session_id=str(SESSION), participant_id=str(ADA), peer_id=peer_id, left_at=stamp(at(minutes))
    )


def said(kind: int = MESSAGE_TYPE_USER) -> MessageCreated:
    return MessageCreated(session_id=str(SESSION), participant_id=str(ADA), type=kind)  # type: ignore[arg-type]


def ada_after(*events: ParticipantJoined | ParticipantLeft | MessageCreated) -> AttendanceRow:
    (row,) = rows_after(ATTENDANCES, *events)
    return row


def visit(peer_id: str, came: int, went: int | None) -> dict[str, object]:
    return {
        "peer_id": peer_id,
        "claim": CLAIM_UNVERIFIED,
        "joined_at": at(came).isoformat(),
        "left_at": None if went is None else at(went).isoformat(),
    }


def test_somebody_is_there() -> None:
    """As long as a peer is in the room there is no leave time."""
    assert ada_after(joined("phone", 0)) == AttendanceRow(
        project_id=PROJECT_OF_ROWS,
        session_id=SESSION,
        participant_id=ADA,
        external_user_id="u-1",
        display_name="Ada",
        joined_at=at(0),
        joined_position=1,
        left_at=None,
        spoke=False,
        visits=(visit("phone", 0, None),),
    )


def test_two_devices_are_one_presence() -> None:
    """The participant left when the last of their peers left."""
    events = [joined("phone", 0), joined("laptop", 1), left("phone", 2)]
    assert ada_after(*events).left_at is None
    gone = ada_after(*events, left("laptop", 5))
    assert gone.left_at == at(5)
    assert gone.visits == (visit("phone", 0, 2), visit("laptop", 1, 5))


def test_somebody_comes_back() -> None:
    """A second visit of the same peer stands beside the first; name and join time are those of the first."""
    row = ada_after(joined("phone", 0), left("phone", 1), joined("phone", 4, name="Ada L."))
    assert row.visits == (visit("phone", 0, 1), visit("phone", 4, None))
    assert (row.joined_at, row.display_name, row.left_at, row.joined_position) == (at(0), "Ada", None, 1)


def test_whoever_says_something_spoke() -> None:
    """Words count, the system's notes about somebody do not."""
    assert ada_after(joined("phone", 0), said()).spoke
    assert not ada_after(joined("phone", 0), said(MESSAGE_TYPE_SYSTEM)).spoke


def test_words_may_come_before_the_join() -> None:
    """Whatever the order, the presence is the same; until the join is known nobody is listed."""
    words_first, join_first = ada_after(said(), joined("phone", 0)), ada_after(joined("phone", 0), said())
    assert (words_first.spoke, words_first.joined_at, words_first.visits) == (
        join_first.spoke,
        join_first.joined_at,
        join_first.visits,
    )
    assert ada_after(said()).joined_position is None


def test_people_have_rows_of_their_own() -> None:
    """One participant's leaving is not another's."""
    bob = joined("tablet", 0)
    bob.participant_id = str(BOB)
    ada, other = rows_after(ATTENDANCES, joined("phone", 0), bob, left("phone", 1))
    assert (ada.left_at, other.left_at) == (at(1), None)
