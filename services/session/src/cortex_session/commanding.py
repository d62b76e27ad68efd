"""Handling commands about sessions (1 to 3)."""

import uuid
from dataclasses import dataclass

from cortex_eventing.clock import Clock, Ids
from cortex_eventing.command_handling import CommandHandling
from cortex_eventing.errors import ClaimTaken
from cortex_runtime.asked import Asked

from cortex_session.domain.commands import CreateSession, Plan, SessionCommand, StartSession, StopSession
from cortex_session.domain.errors import RoomTaken, SessionNotFound
from cortex_session.domain.ids import SessionId
from cortex_session.domain.session import Room, Session, SessionEvent

SessionHandling = CommandHandling[SessionCommand, Session, SessionEvent]


@dataclass(frozen=True)
class Known:
    """A session as it is now, and the position that the answer holds at."""

    session: Session
    position: int


class Sessions:
    """The sessions of every project."""

    def __init__(self, handling: SessionHandling, clock: Clock, ids: Ids) -> None:
        self._handling = handling
        self._clock = clock
        self._ids = ids

    async def create(self, room: Room, plan: Plan, asked: Asked) -> Known:
        """A new session of a room.

        Raises:
            RoomTaken: the room has an active session, which is named.
        """
        try:
            return await self._handle(CreateSession(SessionId(self._ids.new()), room, plan, self._clock.now()), asked)
        except ClaimTaken as taken:
            raise RoomTaken(taken.taken.owner) from taken

    async def start(self, session_id: SessionId, asked: Asked) -> Known:
        """Ask the bot of a session to join."""
        return await self._handle(StartSession(session_id, self._clock.now()), asked)

    async def stop(self, session_id: SessionId, asked: Asked) -> Known:
        """End a session for ever."""
        return await self._handle(StopSession(session_id, self._clock.now()), asked)

    async def _handle(self, command: SessionCommand, asked: Asked) -> Known:
        """The session after a command; for a repeat the one that the first answer was about, as it is now."""
        done = await self._handling.handle(command, asked.origin, asked.key, asked.deadline)
        if done.repeated or done.state is None:
            return Known(await self.get(SessionId(uuid.UUID(done.resource_id)), asked.origin.project_id), done.position)
        return Known(done.state, done.position)

    async def get(self, session_id: SessionId, project_id: str) -> Session:
        """The session as it is now.

        Raises:
            SessionNotFound: there is none, or it is another project's.
        """
        session = await self.find(session_id, project_id)
        if session is None:
            raise SessionNotFound
        return session

    async def find(self, session_id: SessionId, project_id: str) -> Session | None:
        """The session as it is now; None when there is none, or when it is another project's."""
        session, _ = await self._handling.load(session_id, project_id)
        return session
