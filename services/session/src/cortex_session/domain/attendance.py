"""When somebody counts as there, and when not (2, 3). One aggregate per session and participant."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cortex.common.v1.claim_pb2 import Claim
from cortex.session.v1.events_pb2 import ParticipantJoined, ParticipantLeft
from cortex_eventing.decider import Decider, Decision
from cortex_eventing.errors import Impossible
from cortex_eventing.times import stamp

from cortex_session.domain.acceptance import must_belong_to
from cortex_session.domain.commands import AttendanceCommand, NoteJoined, NoteLeft
from cortex_session.domain.errors import NeverJoined
from cortex_session.domain.ids import AttendanceId, attendance_of

AttendanceEvent = ParticipantJoined | ParticipantLeft

NOTHING: Decision[AttendanceEvent] = Decision()


@dataclass(frozen=True)
class Attendance:
    """A participant's presence.

    Attributes:
        external_user_id: as it was at the first join.
        display_name: as it was at the last join.
        claims: of every peer that ever came, how far its identity was proven.
        present: the peers that are in the room.
    """

    external_user_id: str
    display_name: str
    claims: Mapping[str, Claim.ValueType]
    present: frozenset[str]


def evolve(attendance: Attendance | None, event: AttendanceEvent) -> Attendance:
    """The attendance after an event."""
    match event, attendance:
        case ParticipantJoined(), None:
            return _came(Attendance(event.external_user_id, event.display_name, {}, frozenset()), event)
        case ParticipantJoined(), Attendance():
            return _came(attendance, event)
        case ParticipantLeft(), Attendance():
            return replace(attendance, present=attendance.present - {event.peer_id})
    raise Impossible(event, attendance)


def _came(attendance: Attendance, event: ParticipantJoined) -> Attendance:
    return replace(
        attendance,
        display_name=event.display_name,
        claims={**attendance.claims, event.peer_id: event.claim},
        present=attendance.present | {event.peer_id},
    )


def decide(command: AttendanceCommand, attendance: Attendance | None) -> Decision[AttendanceEvent]:
    """The events that a command leads to."""
    match command, attendance:
        case NoteJoined(), Attendance() if command.speaker.peer_id in attendance.present:
            return NOTHING  # the same connection, heard of twice
        case NoteJoined(), _:
            return _join(command)
        case NoteLeft(), None:
            raise NeverJoined
        case NoteLeft(), Attendance() if command.peer_id in attendance.present:
            return _leave(command)
        case NoteLeft(), Attendance():
            return NOTHING


def _join(command: NoteJoined) -> Decision[AttendanceEvent]:
    must_belong_to(command.session, command.at, command.stored_at)
    speaker = command.speaker
    return Decision(
        [
            ParticipantJoined(
                session_id=str(command.session_id),
                participant_id=speaker.participant_id,
                external_user_id=speaker.external_user_id,
                display_name=speaker.display_name,
                peer_id=speaker.peer_id,
                claim=speaker.claim,
                joined_at=stamp(command.at),
            )
        ]
    )


def _leave(command: NoteLeft) -> Decision[AttendanceEvent]:
    return Decision(
        [
            ParticipantLeft(
                session_id=str(command.session_id),
                participant_id=command.participant_id,
                peer_id=command.peer_id,
                left_at=stamp(command.at),
            )
        ]
    )


def attendance_id(command: AttendanceCommand) -> AttendanceId:
    """Whose presence a command is about."""
    match command:
        case NoteJoined():
            return attendance_of(command.session_id, command.speaker.participant_id)
        case NoteLeft():
            return attendance_of(command.session_id, command.participant_id)


ATTENDANCES: Decider[AttendanceCommand, Attendance, AttendanceEvent] = Decider(
    name="attendance",
    aggregate_id=attendance_id,
    decide=decide,
    evolve=evolve,
    events=(ParticipantJoined, ParticipantLeft),
)
