"""Which sessions does a project have, newest first?"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from cortex.session.v1.events_pb2 import BotStatusChanged, SessionCreated, SessionEnded
from cortex.session.v1.resources_pb2 import SESSION_STATUS_ACTIVE, SESSION_STATUS_ENDED
from cortex_eventing.read_model import Key, ReadModel
from cortex_eventing.recorded import Recorded
from cortex_eventing.uuids import uuid_of

from cortex_session.domain.session import Room, Session, SessionEvent, evolve


@dataclass(frozen=True)
class SessionRow:
    """A session as it is now; its fields mean what those of `Session` mean."""

    project_id: uuid.UUID
    session_id: uuid.UUID
    external_room_id: str
    gateway: str
    title: str
    idle_timeout: timedelta
    status: int
    bot_status: int
    end_reason: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    version: int
    created_position: int
    language: str

    @property
    def session(self) -> Session:
        """The session that the row tells of."""
        return Session(
            session_id=str(self.session_id),
            room=Room(self.gateway, self.external_room_id),
            title=self.title,
            idle_timeout=self.idle_timeout,
            created_at=self.created_at,
            version=self.version,
            language=self.language,
            bot_status=self.bot_status,  # type: ignore[arg-type]
            started_at=self.started_at,
            end_reason=self.end_reason,  # type: ignore[arg-type]
            ended_at=self.ended_at,
        )


def project(row: SessionRow | None, recorded: Recorded[SessionEvent]) -> SessionRow | None:
    """The row after an event: what the aggregate itself would say."""
    match recorded.event, row:
        case SessionCreated() as created, None:
            return _row(evolve(None, created), recorded.project_id, recorded.position)
        case (BotStatusChanged() | SessionEnded()) as event, SessionRow():
            return _row(evolve(row.session, event), recorded.project_id, row.created_position)
    return row


def _row(session: Session, project_id: str, created_position: int) -> SessionRow:
    return SessionRow(
        project_id=uuid_of(project_id),
        session_id=uuid_of(session.session_id),
        external_room_id=session.room.external_room_id,
        gateway=session.room.gateway,
        title=session.title,
        idle_timeout=session.idle_timeout,
        status=SESSION_STATUS_ACTIVE if session.ended_at is None else SESSION_STATUS_ENDED,
        bot_status=session.bot_status,
        end_reason=session.end_reason,
        created_at=session.created_at,
        started_at=session.started_at,
        ended_at=session.ended_at,
        version=session.version,
        created_position=created_position,
        language=session.language,
    )


def _key_of(recorded: Recorded[SessionEvent]) -> Key:
    return (uuid_of(recorded.event.session_id),)


SESSIONS = ReadModel(
    table="sessions",
    row=SessionRow,
    key=("session_id",),
    listens_to=(SessionCreated, BotStatusChanged, SessionEnded),
    key_of=_key_of,
    project=project,
)

PAGE = """
SELECT * FROM sessions
WHERE project_id = %(project_id)s
  AND (%(status)s = 0 OR status = %(status)s)
  AND created_position < %(before)s
ORDER BY created_position DESC
LIMIT %(limit)s
"""
"""Sessions created before a position, newest first; status 0 means any."""

END = """
SELECT ended_at, end_reason AS reason, (
    SELECT count(*) FROM attendances
    WHERE attendances.session_id = sessions.session_id AND joined_at IS NOT NULL AND left_at IS NULL
) AS present
FROM sessions
WHERE project_id = %(project_id)s AND session_id = %(session_id)s AND status = %(ended)s
"""
"""How an ended session ended, and how many still count as in its room; no row while it is active."""
