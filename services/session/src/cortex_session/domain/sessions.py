"""What a session may do, and when it refuses (2)."""

from datetime import datetime

from cortex.session.v1.events_pb2 import BotStatusChanged, SessionCreated, SessionEnded
from cortex.session.v1.resources_pb2 import (
    BOT_STATUS_IN_ROOM,
    BOT_STATUS_JOINING,
    BOT_STATUS_REQUESTED,
    BOT_STATUS_UNSPECIFIED,
    END_REASON_STOPPED,
    BotStatus,
)
from cortex_eventing.decider import Decider, Decision
from cortex_eventing.errors import AlreadyExists
from cortex_eventing.times import span, stamp

from cortex_session.domain.claims import room_claim
from cortex_session.domain.commands import CreateSession, SessionCommand, StartSession, StopSession
from cortex_session.domain.errors import SessionHasEnded, SessionNotFound
from cortex_session.domain.session import Session, SessionEvent, evolve

NOTHING: Decision[SessionEvent] = Decision()

BOT_IS_COMING = (BOT_STATUS_REQUESTED, BOT_STATUS_JOINING, BOT_STATUS_IN_ROOM)
"""Where the bot is when asking it to join asks for nothing new."""


def decide(command: SessionCommand, session: Session | None) -> Decision[SessionEvent]:
    """The events that a command leads to."""
    match command, session:
        case CreateSession(), None:
            return _create(command)
        case _, None:
            raise SessionNotFound
        case CreateSession(), Session():
            raise AlreadyExists("this session exists")
        case StopSession(), Session(ended_at=None):
            return _end(command, session)
        case StopSession(), Session():
            return NOTHING  # ending twice is what the caller wanted
        case StartSession(), Session(ended_at=None):
            return _start(command, session)
        case StartSession(), Session():
            raise SessionHasEnded


def _create(command: CreateSession) -> Decision[SessionEvent]:
    session_id = str(command.session_id)
    created = SessionCreated(
        session_id=session_id,
        external_room_id=command.room.external_room_id,
        gateway=command.room.gateway,
        title=command.plan.title,
        idle_timeout=span(command.plan.idle_timeout) if command.plan.idle_timeout else None,
        created_at=stamp(command.at),
        language=command.plan.language,
    )
    events: list[SessionEvent] = [created]
    if command.plan.auto_start:
        events.append(_requested(session_id, BOT_STATUS_UNSPECIFIED, command.at))
    return Decision(events, take=[room_claim(command.room, session_id)])


def _start(command: StartSession, session: Session) -> Decision[SessionEvent]:
    if session.bot_status in BOT_IS_COMING:
        return NOTHING
    return Decision([_requested(session.session_id, session.bot_status, command.at)])


def _end(command: StopSession, session: Session) -> Decision[SessionEvent]:
    ended = SessionEnded(
        session_id=session.session_id,
        reason=END_REASON_STOPPED,
        # A clock may have been set back meanwhile; no session ends before it began.
        ended_at=stamp(max(command.at, session.created_at)),
    )
    return Decision([ended], release=[room_claim(session.room, session.session_id)])


def _requested(session_id: str, previous: BotStatus.ValueType, at: datetime) -> BotStatusChanged:
    return BotStatusChanged(
        session_id=session_id, status=BOT_STATUS_REQUESTED, previous_status=previous, changed_at=stamp(at)
    )


SESSIONS: Decider[SessionCommand, Session, SessionEvent] = Decider(
    name="session",
    aggregate_id=lambda command: command.session_id,
    decide=decide,
    evolve=evolve,
    events=(SessionCreated, BotStatusChanged, SessionEnded),
)
