"""What may be asked of a speaker: one peer of one session."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from cortex.common.v1.claim_pb2 import Claim

from cortex_transcriber.domain.numbering import Numbering
from cortex_transcriber.speech.words import Word


@dataclass(frozen=True)
class SpeakerKey:
    """Which speaker. Rejoining under the same peer id is the same speaker.

    Attributes:
        session_id: the session, as canonical text.
        peer_id: the id that the voice server gave the connection.
    """

    session_id: str
    peer_id: str

    @property
    def aggregate_id(self) -> uuid.UUID:
        """The speaker's id, the same on every replica."""
        return uuid.uuid5(uuid.UUID(self.session_id), self.peer_id)

    def utterance_id(self, first_sequence: int) -> uuid.UUID:
        """The id of the utterance that begins with this frame, the same however often it is heard."""
        return uuid.uuid5(self.aggregate_id, str(first_sequence))


@dataclass(frozen=True)
class Person:
    """Who a peer is, as the identity service had it when the peer joined."""

    participant_id: str
    external_user_id: str
    display_name: str
    claim: Claim.ValueType


@dataclass(frozen=True)
class Absence:
    """How long nobody heard of a speaker who never said goodbye.

    Attributes:
        lasted: for how long no stream carried it, by the clock.
        last_frame_at: when the last of its frames ended, by its numbering.
    """

    lasted: timedelta
    last_frame_at: datetime


@dataclass(frozen=True)
class JoinSpeaker:
    """A peer is in the room, for the first time or again.

    `resume_from` is the first sequence number that the bot holds; `absence` is None when it is not known.
    """

    speaker: SpeakerKey
    person: Person
    numbering: Numbering
    resume_from: int
    absence: Absence | None = None


@dataclass(frozen=True)
class HearUtterance:
    """The words of a stretch of whole frames, both sequence numbers included.

    `settles` says that audio up to its end need not be heard again; a piece of speech that goes on does not settle.
    `heard_at` is when its first frame came in, by our clock. `words` is empty where the model tells no times.
    """

    speaker: SpeakerKey
    first_sequence: int
    last_sequence: int
    settles: bool
    session_zero_at: datetime
    heard_at: datetime
    text: str
    confidence: float
    language: str
    model: str
    words: tuple[Word, ...] = ()


@dataclass(frozen=True)
class LeaveSpeaker:
    """A peer is no longer in the room since `at`."""

    speaker: SpeakerKey
    at: datetime


SpeakerCommand = JoinSpeaker | HearUtterance | LeaveSpeaker
