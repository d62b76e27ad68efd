"""The gRPC door of sessions (1, 8): translate, hand over, answer. No rule lives here."""

import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import datetime
from typing import Protocol

from cortex.session.v1 import resources_pb2
from cortex.session.v1.session_service_pb2 import (
    CreateSessionRequest,
    CreateSessionResponse,
    GetSessionRequest,
    ListAttendanceRequest,
    ListAttendanceResponse,
    ListMessagesRequest,
    ListMessagesResponse,
    ListSessionsRequest,
    ListSessionsResponse,
    StartSessionRequest,
    StartSessionResponse,
    StopSessionRequest,
    StopSessionResponse,
    WatchMessagesRequest,
    WatchMessagesResponse,
)
from cortex.session.v1.session_service_pb2_grpc import SessionServiceServicer
from cortex_eventing.ports import EventFeed
from cortex_eventing.progress import Progress
from cortex_eventing.times import length_of
from cortex_runtime.adapters.feed_servicer import FeedServicer
from cortex_runtime.asked import asked
from cortex_runtime.caller import caller_of, deadline_of
from cortex_runtime.fitting import fitted
from cortex_runtime.paging import PageRequest, next_page_token, page_of
from cortex_runtime.places import position_after

from cortex_session.adapters import answers
from cortex_session.adapters.postgres_rooms import BEFORE_ANY_WORD, BEYOND_ANY_POSITION, MessageFilter, Rooms
from cortex_session.commanding import Sessions
from cortex_session.domain.commands import Plan
from cortex_session.domain.ids import SessionId
from cortex_session.domain.session import Room, Session
from cortex_session.watching import MessageWatch


class SessionServicer(FeedServicer, SessionServiceServicer):
    """Answers the RPCs of `SessionService`.

    Args:
        sessions: who creates, starts, stops and finds sessions.
        rooms: the read models.
        progress: how far they are.
        watch: who follows a session's messages.
        feed: this service's events.
    """

    def __init__(
        self,
        sessions: Sessions,
        rooms: Rooms,
        progress: Progress,
        watch: MessageWatch,
        feed: EventFeed,
    ) -> None:
        super().__init__(feed)
        self._sessions = sessions
        self._rooms = rooms
        self._progress = progress
        self._watch = watch

    async def CreateSession(  # noqa: N802
        self, request: CreateSessionRequest, context: object
    ) -> CreateSessionResponse:
        """Begin the transcription of a room."""
        room = Room(request.gateway, request.external_room_id)
        known = await self._sessions.create(room, _plan(request), asked(request, context))
        return CreateSessionResponse(session=_answer(known.session, context), position=known.position)

    async def StartSession(self, request: StartSessionRequest, context: object) -> StartSessionResponse:  # noqa: N802
        """Ask the bot to join."""
        known = await self._sessions.start(_session_id(request), asked(request, context))
        return StartSessionResponse(session=_answer(known.session, context), position=known.position)

    async def StopSession(self, request: StopSessionRequest, context: object) -> StopSessionResponse:  # noqa: N802
        """End a session for ever."""
        known = await self._sessions.stop(_session_id(request), asked(request, context))
        return StopSessionResponse(session=_answer(known.session, context), position=known.position)

    async def GetSession(self, request: GetSessionRequest, context: object) -> resources_pb2.Session:  # noqa: N802
        """One by its id; the session itself is asked, so the answer is newer than any `min_position`."""
        return _answer(await self._existing(request, context), context)

    async def ListSessions(self, request: ListSessionsRequest, context: object) -> ListSessionsResponse:  # noqa: N802
        """A page, newest first."""
        project_id = caller_of(context).project_id
        page = page_of(request, int)
        await self._progress.reached(request.min_position, deadline_of(context))
        before = position_after(page, BEYOND_ANY_POSITION)
        rows = await self._rooms.sessions(project_id, request.status, before, limit=page.size + 1)
        shown = fitted(rows, page.size, lambda row: answers.session(row.session, project_id))
        last = shown.last_row
        token = next_page_token(request, last.created_position) if last else ""
        return ListSessionsResponse(sessions=shown.items, next_page_token=token)

    async def ListMessages(self, request: ListMessagesRequest, context: object) -> ListMessagesResponse:  # noqa: N802
        """A page, in speaking order."""
        page = page_of(request, datetime, uuid.UUID)
        await self._existing(request, context)
        await self._progress.reached(request.min_position, deadline_of(context))
        rows = await self._rooms.messages(
            caller_of(context).project_id,
            _session_id(request),
            MessageFilter(request.type, request.participant_id),
            _place_after(page),
            limit=page.size + 1,
        )
        shown = fitted(rows, page.size, answers.message)
        last = shown.last_row
        token = next_page_token(request, last.said_at, last.message_id) if last else ""
        return ListMessagesResponse(messages=shown.items, next_page_token=token)

    async def ListAttendance(  # noqa: N802
        self, request: ListAttendanceRequest, context: object
    ) -> ListAttendanceResponse:
        """A page, in the order they came."""
        page = page_of(request, int)
        await self._existing(request, context)
        await self._progress.reached(request.min_position, deadline_of(context))
        after = position_after(page, 0)
        rows = await self._rooms.attendances(
            caller_of(context).project_id, _session_id(request), after, limit=page.size + 1
        )
        shown = fitted(rows, page.size, answers.attendance)
        last = shown.last_row
        token = next_page_token(request, last.joined_position or 0) if last else ""
        return ListAttendanceResponse(attendances=shown.items, next_page_token=token)

    async def WatchMessages(  # noqa: N802
        self, request: WatchMessagesRequest, context: object
    ) -> AsyncIterator[WatchMessagesResponse]:
        """History, a marker, then live, until the session is over."""
        await self._existing(request, context)
        changes = self._watch.changes(
            caller_of(context).project_id,
            _session_id(request),
            request.after_position,
            include_interim=request.include_interim,
        )
        async with aclosing(changes):
            async for change in changes:
                yield answers.change(change)

    async def _existing(self, request: "OfSession", context: object) -> Session:
        """The session that a request is about.

        The session itself is asked: the read model may not show yet what was created a moment ago.
        """
        return await self._sessions.get(_session_id(request), caller_of(context).project_id)


class OfSession(Protocol):
    """A request that names a session."""

    @property
    def session_id(self) -> str:
        """Canonical text of a UUID: that was checked at the door."""
        ...


def _session_id(request: OfSession) -> SessionId:
    return SessionId(uuid.UUID(request.session_id))


def _plan(request: CreateSessionRequest) -> Plan:
    auto_start = request.auto_start if request.HasField("auto_start") else True
    return Plan(request.title, length_of(request.idle_timeout), auto_start, request.language)


def _place_after(page: PageRequest) -> tuple[datetime, uuid.UUID]:
    """The place in speaking order that the page comes after."""
    match page.after:
        case (datetime() as said_at, uuid.UUID() as message_id):
            return said_at, message_id
    return BEFORE_ANY_WORD


def _answer(session: Session, context: object) -> resources_pb2.Session:
    return answers.session(session, caller_of(context).project_id)
