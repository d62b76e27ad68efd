"""What the system says in a transcript about people who come and go."""

from cortex.common.v1.claim_pb2 import CLAIM_UNSPECIFIED

from cortex_session.domain.attendance import Attendance
from cortex_session.domain.commands import AttendanceCommand, NoteJoined, NoteLeft, Speaker, StoreNote
from cortex_session.domain.names import name_of


def note_about(command: AttendanceCommand, attendance: Attendance | None) -> StoreNote:
    """The note about somebody who joins or leaves, with the name that they have in this room."""
    speaker = _speaker(command, attendance)
    name = name_of(speaker.display_name, speaker.external_user_id)
    return StoreNote(
        message_id=command.note_id,
        session_id=command.session_id,
        session=command.session,
        speaker=speaker,
        text=f"{name} joined" if isinstance(command, NoteJoined) else f"{name} left",
        at=command.at,
    )


def _speaker(command: AttendanceCommand, attendance: Attendance | None) -> Speaker:
    match command:
        case NoteJoined():
            return command.speaker
        case NoteLeft():
            return _as_they_joined(command, attendance)


def _as_they_joined(left: NoteLeft, attendance: Attendance | None) -> Speaker:
    known = attendance or Attendance("", "", {}, frozenset())
    return Speaker(
        participant_id=left.participant_id,
        external_user_id=known.external_user_id,
        display_name=known.display_name,
        peer_id=left.peer_id,
        claim=known.claims.get(left.peer_id, CLAIM_UNSPECIFIED),
    )
