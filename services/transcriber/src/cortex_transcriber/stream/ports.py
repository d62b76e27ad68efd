"""What a stream needs from the rest of the service."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cortex.transcriber.v1.live_pb2 import LiveInterim
from cortex_eventing.errors import CortexError
from cortex_eventing.recorded import Origin

from cortex_transcriber.domain.commands import Absence, Person, SpeakerCommand, SpeakerKey
from cortex_transcriber.domain.speaker import Speaker
from cortex_transcriber.speech.events import EndLikely, InterimDue, SegmentReady
from cortex_transcriber.speech.recogniser import Recognised
from cortex_transcriber.speech.scheduler import Job


@dataclass(frozen=True)
class ActiveSession:
    """A session that takes audio.

    Attributes:
        zero_at: its creation, the zero of every offset in it.
        language: what is spoken in it, as a BCP-47 tag; empty when nobody said.
    """

    project_id: str
    session_id: str
    zero_at: datetime
    language: str = ""


class Sessions(Protocol):
    """The session service."""

    async def active(self, project_id: str, session_id: str) -> ActiveSession:
        """The session, if it takes audio.

        Raises:
            NotFound: missing, or another project's.
            WrongState: it has ended.
            Unavailable: the session service is away.
        """
        ...


class Identities(Protocol):
    """The identity service."""

    async def resolve(self, project_id: str, speaker: SpeakerKey, user_id: str) -> Person:
        """Who a peer is; a stranger becomes a participant. The same each time it is asked.

        Raises:
            Rejected: this peer may not be heard, or its ids cannot be.
            Unavailable: the identity service is away.
        """
        ...


@dataclass(frozen=True)
class Stored:
    """The speaker after a command, its number of events, and the position in the store that this holds at."""

    speaker: Speaker
    version: int
    position: int


class Speakers(Protocol):
    """The speakers' aggregates."""

    async def handle(self, command: SpeakerCommand, origin: Origin) -> Stored:
        """Decide and store.

        Raises:
            Rejected: the command was refused.
            Unavailable: the store is away, for longer than a command is tried; it may have been stored all the same.
        """
        ...


@dataclass(frozen=True)
class Carried:
    """A speaker whose audio a stream carries, for the record of who is where.

    Attributes:
        holder: stands for the speaker on that one stream; another stream's replaces it.
        last_frame_at: when the last of its frames ended, by its numbering.
    """

    speaker: SpeakerKey
    project_id: str
    holder: str
    last_frame_at: datetime


class Presence(Protocol):
    """Which stream carries which speaker, across replicas. Losing it costs precision, never words."""

    async def claim(self, carried: Carried) -> Absence | None:
        """A stream carries the speaker from now on; since when nobody did, None when that is not known.

        Raises:
            Unavailable: the database is away.
        """
        ...

    async def release(self, carried: Carried) -> None:
        """The speaker has left; nothing happens when another stream carries it. Raises Unavailable."""
        ...


class Unrecognisable(CortexError):
    """The model works, and cannot take this segment, however often it is tried."""


class Recognition(Protocol):
    """One model, on the scheduler of all."""

    def early(self, likely: EndLikely, project_id: str) -> Job:
        """Begin with what is probably an utterance already, where there is time."""
        ...

    async def final(self, segment: SegmentReady, project_id: str, early: Job | None = None) -> Recognised:
        """The words of an utterance, none if it was no speech; comes in its project's turn, however long that takes.

        Args:
            segment: the utterance.
            project_id: whose.
            early: what was begun of the same audio.

        Raises:
            Unrecognisable: this segment never will have words.
            Unavailable: the model fails at everything; nothing is known about the segment.
        """
        ...

    async def recorded(self, segment: SegmentReady, project_id: str) -> Recognised:
        """The words of an utterance that was not spoken just now, which can wait; otherwise like `final`."""
        ...

    async def interim(self, due: InterimDue, project_id: str) -> Recognised | None:
        """The words so far; None when there was more urgent work."""
        ...


class LiveTexts(Protocol):
    """The live subject, for whoever listens now."""

    async def say(self, project_id: str, interim: LiveInterim) -> None:
        """Publish an interim text; lost when nobody listens or the broker is away."""
        ...
