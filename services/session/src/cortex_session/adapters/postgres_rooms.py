"""Sessions, messages and attendance, asked of PostgreSQL (8)."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from cortex.session.v1.resources_pb2 import SESSION_STATUS_ENDED
from cortex_eventing.adapters.postgres.views import Views
from psycopg import AsyncConnection
from psycopg.rows import class_row

from cortex_session.domain.ids import SessionId
from cortex_session.read_models import attendance, messages, sessions
from cortex_session.read_models.attendance import AttendanceRow
from cortex_session.read_models.messages import MessageRow
from cortex_session.read_models.sessions import SessionRow
from cortex_session.watched import SessionEnd, Shown

Row = TypeVar("Row")

BEYOND_ANY_POSITION = 2**63 - 1
BEFORE_ANY_WORD = (datetime(1, 1, 1, tzinfo=UTC), uuid.UUID(int=0))


@dataclass(frozen=True)
class MessageFilter:
    """Which messages of a session.

    Attributes:
        type: a `MessageType`; 0 for any.
        participant_id: canonical text; empty for any.
    """

    type: int = 0
    participant_id: str = ""


class Rooms:
    """What the read models of this service know, one project at a time. Raises Unavailable."""

    def __init__(self, views: Views) -> None:
        self._views = views

    async def sessions(
        self, project_id: str, status: int, before: int = BEYOND_ANY_POSITION, *, limit: int
    ) -> Sequence[SessionRow]:
        """Sessions created before a position, newest first; status 0 means any."""
        return await self._rows(
            SessionRow, sessions.PAGE, project_id, {"status": status, "before": before, "limit": limit}
        )

    async def messages(
        self,
        project_id: str,
        session_id: SessionId,
        only: MessageFilter,
        after: tuple[datetime, uuid.UUID] = BEFORE_ANY_WORD,
        *,
        limit: int,
    ) -> Sequence[MessageRow]:
        """Messages after a place in speaking order."""
        values = {
            "session_id": session_id,
            "type": only.type,
            "participant_id": only.participant_id or None,
            "after_said_at": after[0],
            "after_message_id": after[1],
            "limit": limit,
        }
        return await self._rows(MessageRow, messages.PAGE, project_id, values)

    async def shown(self, project_id: str, session_id: SessionId, after: int, limit: int) -> Shown:
        """What a watcher who saw everything up to a position has to be told."""
        values = {"project_id": project_id, "session_id": session_id, "position": after, "limit": limit}
        async with self._views.project(project_id) as connection:
            # The end first: whatever is committed in between, the rows are at least as new.
            ends = await _fetched(connection, SessionEnd, sessions.END, {**values, "ended": SESSION_STATUS_ENDED})
            rows = await _fetched(connection, MessageRow, messages.STORED_AFTER, values)
        return Shown(ends[0] if ends else None, rows)

    async def attendances(
        self, project_id: str, session_id: SessionId, after: int = 0, *, limit: int
    ) -> Sequence[AttendanceRow]:
        """Who came after a position, in the order they came."""
        values = {"session_id": session_id, "after": after, "limit": limit}
        rows = await self._rows(AttendanceRow, attendance.PAGE, project_id, values)
        return [replace(row, visits=tuple(row.visits)) for row in rows]

    async def _rows(self, row: type[Row], query: str, project_id: str, values: Mapping[str, object]) -> Sequence[Row]:
        async with self._views.project(project_id) as connection:
            return await _fetched(connection, row, query, {"project_id": project_id, **values})


async def _fetched(
    connection: AsyncConnection, row: type[Row], query: str, values: Mapping[str, object]
) -> Sequence[Row]:
    async with connection.cursor(row_factory=class_row(row)) as cursor:
        await cursor.execute(query.encode(), values)
        return await cursor.fetchall()
