"""What may be asked of sessions, messages and attendances (1). Ids and times arrive as fields."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cortex.common.v1.claim_pb2 import Claim

from cortex_session.domain.ids import MessageId, SessionId
from cortex_session.domain.session import Room, Session


@dataclass(frozen=True)
class Plan:
    """How a session shall be.

    Attributes:
        idle_timeout: it ends itself after this long without speech; zero for never.
        auto_start: whether the bot is asked to join at once.
        language: what is spoken, as a BCP-47 tag; empty when nobody says.
    """

    title: str = ""
    idle_timeout: timedelta = timedelta(0)
    auto_start: bool = True
    language: str = ""


@dataclass(frozen=True)
class CreateSession:
    """Begin the transcription of a room."""

    session_id: SessionId
    room: Room
    plan: Plan
    at: datetime


@dataclass(frozen=True)
class StartSession:
    """Ask the bot to join."""

    session_id: SessionId
    at: datetime


@dataclass(frozen=True)
class StopSession:
    """End the session for ever."""

    session_id: SessionId
    at: datetime


SessionCommand = CreateSession | StartSession | StopSession


@dataclass(frozen=True)
class Speaker:
    """Who a message or a visit is of, as it was then."""

    participant_id: str
    external_user_id: str
    display_name: str
    peer_id: str
    claim: Claim.ValueType


@dataclass(frozen=True)
class Words:
    """What was heard, by which model, and how sure it was (0 to 1)."""

    text: str
    utterance_id: str
    confidence: float
    language: str
    model: str


@dataclass(frozen=True)
class StoreUtterance:
    """Store what somebody said as a message of the session.

    Attributes:
        started_at: when it began, by the bot's clock.
        heard_at: when its first frame came in, by the transcriber's; None in events of older releases.
        session: as it is when the command is handled, put there by `commanding`; None when it is unknown.
    """

    message_id: MessageId
    session_id: SessionId
    speaker: Speaker
    words: Words
    started_at: datetime
    start_offset: timedelta
    end_offset: timedelta
    heard_at: datetime | None = None
    session: Session | None = None


@dataclass(frozen=True)
class StoreNote:
    """Store the system's note about a participant as a message of the session.

    Attributes:
        session: as it is when the command is handled.
    """

    message_id: MessageId
    session_id: SessionId
    speaker: Speaker
    text: str
    at: datetime
    session: Session | None


MessageCommand = StoreUtterance | StoreNote


@dataclass(frozen=True)
class NoteJoined:
    """A peer of a participant came into the room.

    Attributes:
        at: when it came, by the bot's clock.
        stored_at: when the transcriber stored that, by its clock.
        note_id: of the system's message about it.
        session: as it is when the command is handled, put there by `commanding`; None when it is unknown.
    """

    session_id: SessionId
    speaker: Speaker
    at: datetime
    stored_at: datetime
    note_id: MessageId
    session: Session | None = None


@dataclass(frozen=True)
class NoteLeft:
    """A peer of a participant left the room. Its fields mean what those of `NoteJoined` mean."""

    session_id: SessionId
    participant_id: str
    peer_id: str
    at: datetime
    note_id: MessageId
    session: Session | None = None


AttendanceCommand = NoteJoined | NoteLeft
