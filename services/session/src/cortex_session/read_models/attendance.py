"""Who was in the room of a session, from when to when, by which connections, and did they speak?"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from cortex.session.v1.events_pb2 import MessageCreated, ParticipantJoined, ParticipantLeft
from cortex.session.v1.resources_pb2 import MESSAGE_TYPE_USER
from cortex_eventing.read_model import Key, ReadModel
from cortex_eventing.recorded import Recorded
from cortex_eventing.times import time_of
from cortex_eventing.uuids import uuid_of

AttendanceNews = ParticipantJoined | ParticipantLeft | MessageCreated
Visit = Mapping[str, object]
"""One connection's stay: `peer_id`, `claim` as a number, `joined_at` and `left_at` as ISO text, None while there."""


@dataclass(frozen=True)
class AttendanceRow:
    """One participant's presence.

    Attributes:
        external_user_id: as it was when they first joined.
        display_name: as it was when they first joined.
        joined_at: when they first joined; None as long as only their words are known.
        joined_position: where that event is stored; the order they came in.
        left_at: when the last of their peers left; None while one is there.
        spoke: whether they said anything.
        visits: oldest first.
    """

    project_id: uuid.UUID
    session_id: uuid.UUID
    participant_id: uuid.UUID
    external_user_id: str = ""
    display_name: str = ""
    joined_at: datetime | None = None
    joined_position: int | None = None
    left_at: datetime | None = None
    spoke: bool = False
    visits: tuple[Visit, ...] = ()


def project(row: AttendanceRow | None, recorded: Recorded[AttendanceNews]) -> AttendanceRow | None:
    """The row after an event."""
    event = recorded.event
    attendance = row or AttendanceRow(
        uuid_of(recorded.project_id), uuid_of(event.session_id), uuid_of(event.participant_id)
    )
    match event:
        case ParticipantJoined():
            return _came(attendance, event, recorded.position)
        case ParticipantLeft():
            return _left(attendance, event)
        case MessageCreated():
            return replace(attendance, spoke=True)


def _came(row: AttendanceRow, event: ParticipantJoined, position: int) -> AttendanceRow:
    joined_at = time_of(event.joined_at)
    visit = {"peer_id": event.peer_id, "claim": event.claim, "joined_at": joined_at.isoformat(), "left_at": None}
    row = replace(row, left_at=None, visits=(*row.visits, visit))
    if row.joined_at is not None:
        return row
    return replace(
        row,
        external_user_id=event.external_user_id,
        display_name=event.display_name,
        joined_at=joined_at,
        joined_position=position,
    )


def _left(row: AttendanceRow, event: ParticipantLeft) -> AttendanceRow:
    left_at = time_of(event.left_at)
    visits = tuple(_closed(visit, event.peer_id, left_at) for visit in row.visits)
    somebody_is_there = any(visit["left_at"] is None for visit in visits)
    return replace(row, visits=visits, left_at=None if somebody_is_there else left_at)


def _closed(visit: Visit, peer_id: str, left_at: datetime) -> Visit:
    if visit["peer_id"] != peer_id or visit["left_at"] is not None:
        return visit
    return {**visit, "left_at": left_at.isoformat()}


def _key_of(recorded: Recorded[AttendanceNews]) -> Key | None:
    event = recorded.event
    if isinstance(event, MessageCreated) and event.type != MESSAGE_TYPE_USER:
        return None  # the system's notes are nobody's words
    return uuid_of(event.session_id), uuid_of(event.participant_id)


ATTENDANCES = ReadModel(
    table="attendances",
    row=AttendanceRow,
    key=("session_id", "participant_id"),
    listens_to=(ParticipantJoined, ParticipantLeft, MessageCreated),
    key_of=_key_of,
    project=project,
)

PAGE = """
SELECT * FROM attendances
WHERE project_id = %(project_id)s
  AND session_id = %(session_id)s
  AND joined_position > %(after)s
ORDER BY joined_position
LIMIT %(limit)s
"""
"""Who came after a position, in the order they came; rows of nobody who joined have no position and are left out."""
