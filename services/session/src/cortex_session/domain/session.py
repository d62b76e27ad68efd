"""A session as its events tell it (3)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cortex.session.v1.events_pb2 import BotStatusChanged, SessionCreated, SessionEnded
from cortex.session.v1.resources_pb2 import (
    BOT_STATUS_REQUESTED,
    BOT_STATUS_UNSPECIFIED,
    END_REASON_UNSPECIFIED,
    BotStatus,
    EndReason,
)
from cortex_eventing.errors import Impossible
from cortex_eventing.times import length_of, time_of

SessionEvent = SessionCreated | BotStatusChanged | SessionEnded


@dataclass(frozen=True)
class Room:
    """A voice room: where the bot joins it, and what its voice server calls it."""

    gateway: str
    external_room_id: str


@dataclass(frozen=True)
class Session:
    """One transcription of one voice room.

    Attributes:
        session_id: its id, as canonical text.
        idle_timeout: it ends itself after this long without speech; zero for never.
        created_at: the zero of every offset in it.
        language: what is spoken, as a BCP-47 tag; empty when nobody said.
        started_at: when its bot was first asked to join.
        ended_at: None while it is active.
        version: how often it changed, from 1.
    """

    session_id: str
    room: Room
    title: str
    idle_timeout: timedelta
    created_at: datetime
    version: int
    language: str = ""
    bot_status: BotStatus.ValueType = BOT_STATUS_UNSPECIFIED
    started_at: datetime | None = None
    end_reason: EndReason.ValueType = END_REASON_UNSPECIFIED
    ended_at: datetime | None = None


def evolve(session: Session | None, event: SessionEvent) -> Session:
    """The session after an event."""
    match event, session:
        case SessionCreated(), None:
            return _created(event)
        case BotStatusChanged(), Session():
            return _bot_moved(session, event)
        case SessionEnded(), Session():
            return replace(
                session, end_reason=event.reason, ended_at=time_of(event.ended_at), version=session.version + 1
            )
    raise Impossible(event, session)


def _created(event: SessionCreated) -> Session:
    return Session(
        session_id=event.session_id,
        room=Room(event.gateway, event.external_room_id),
        title=event.title,
        idle_timeout=length_of(event.idle_timeout),
        created_at=time_of(event.created_at),
        version=1,
        language=event.language,
    )


def _bot_moved(session: Session, event: BotStatusChanged) -> Session:
    started_at = session.started_at
    if started_at is None and event.status == BOT_STATUS_REQUESTED:
        started_at = time_of(event.changed_at)
    return replace(session, bot_status=event.status, started_at=started_at, version=session.version + 1)
