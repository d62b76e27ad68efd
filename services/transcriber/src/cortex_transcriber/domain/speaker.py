"""A speaker's state, folded from its events."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from cortex.transcriber.v1.events_pb2 import SpeakerJoined, SpeakerLeft, UtteranceTranscribed
from cortex_eventing.errors import Impossible
from cortex_eventing.times import length_of, time_of

from cortex_transcriber.domain.commands import Person
from cortex_transcriber.domain.numbering import Numbering

SpeakerEvent = SpeakerJoined | UtteranceTranscribed | SpeakerLeft

SPEAKER_EVENTS: Final[Sequence[type[SpeakerEvent]]] = (SpeakerJoined, UtteranceTranscribed, SpeakerLeft)

NOTHING_HEARD: Final = -1
"""`heard_through` before the first utterance: sequence number 0 is still to be heard."""


@dataclass(frozen=True)
class Speaker:
    """One peer of one session.

    Attributes:
        person: who it is, since it last joined.
        numbering: what its sequence numbers mean; fixed by its first join.
        joined_at: when it last joined.
        left_at: when it left; None while it is in the room.
        last_first: where its last stored utterance began, `NOTHING_HEARD` before the first.
        heard_through: the sequence number up to which its audio is in stored utterances.
        settled_through: the sequence number up to which it need not be heard again; cuts after it repeat.
    """

    person: Person
    numbering: Numbering
    joined_at: datetime
    left_at: datetime | None = None
    last_first: int = NOTHING_HEARD
    heard_through: int = NOTHING_HEARD
    settled_through: int = NOTHING_HEARD

    @property
    def present(self) -> bool:
        """Whether it is in the room."""
        return self.left_at is None

    def first_needed(self, resume_from: int) -> int:
        """The first sequence number that is still to be heard when the bot holds those from `resume_from` on."""
        return max(resume_from, self.settled_through + 1)


def evolve(speaker: Speaker | None, event: SpeakerEvent) -> Speaker:
    """The speaker after an event."""
    match event, speaker:
        case SpeakerJoined(), None:
            return Speaker(_person(event), numbering_of(event), time_of(event.joined_at))
        case SpeakerJoined(), Speaker():
            return replace(speaker, person=_person(event), joined_at=time_of(event.joined_at), left_at=None)
        case UtteranceTranscribed(), Speaker():
            return replace(
                speaker,
                last_first=event.first_sequence,
                heard_through=event.last_sequence,
                settled_through=event.settled_through,
            )
        case SpeakerLeft(), Speaker():
            return replace(speaker, left_at=time_of(event.left_at))
    raise Impossible(event, speaker)


def numbering_of(joined: SpeakerJoined) -> Numbering:
    """What the sequence numbers mean from this join on."""
    return Numbering(time_of(joined.sequence_zero_at), length_of(joined.frame_duration))


def _person(joined: SpeakerJoined) -> Person:
    return Person(joined.participant_id, joined.external_user_id, joined.display_name, joined.claim)
