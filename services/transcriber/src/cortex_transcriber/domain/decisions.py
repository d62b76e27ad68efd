"""What a speaker may do, and when it is refused."""

from datetime import datetime, timedelta
from typing import Final

from cortex.transcriber.v1.events_pb2 import SpeakerJoined, SpeakerLeft, UtteranceTranscribed
from cortex.transcriber.v1.words_pb2 import TimedWords
from cortex_eventing.decider import Decider, Decision
from cortex_eventing.times import span, stamp

from cortex_transcriber.domain.commands import (
    HearUtterance,
    JoinSpeaker,
    LeaveSpeaker,
    Person,
    SpeakerCommand,
    SpeakerKey,
)
from cortex_transcriber.domain.errors import AlreadyHeard, NumberingChanged, SpeakerUnknown
from cortex_transcriber.domain.numbering import Numbering
from cortex_transcriber.domain.speaker import SPEAKER_EVENTS, Speaker, SpeakerEvent, evolve
from cortex_transcriber.domain.words import timed

REJOIN_GRACE: Final = timedelta(seconds=60)
"""A peer whose stream broke and that is back within this time never left: bots reconnect within seconds."""

NOTHING: Final[Decision[SpeakerEvent]] = Decision()


def decide(command: SpeakerCommand, speaker: Speaker | None) -> Decision[SpeakerEvent]:
    """The events that a command leads to.

    Raises:
        SpeakerUnknown: when the peer never joined.
        AlreadyHeard: when an utterance begins at or before what was heard.
        NumberingChanged: when a peer comes back with another numbering.
    """
    match command, speaker:
        case JoinSpeaker(), None:
            began = command.numbering.began(command.resume_from)
            return Decision([_joined(command.speaker, command.person, command.numbering, began)])
        case JoinSpeaker(), Speaker():
            return _rejoin(command, speaker)
        case _, None:
            raise SpeakerUnknown
        case HearUtterance(), Speaker():
            return _hear(command, speaker)
        case LeaveSpeaker(), Speaker(present=True):
            return Decision([_left(command.speaker, speaker, command.at)])
    return NOTHING  # leaving twice is what the caller wanted


def _rejoin(command: JoinSpeaker, speaker: Speaker) -> Decision[SpeakerEvent]:
    if command.numbering != speaker.numbering:
        raise NumberingChanged
    if speaker.present and _same_attendance(command, speaker):
        return NOTHING
    left_at = speaker.left_at or _last_heard_of(command, speaker)
    began = max(left_at, speaker.numbering.began(speaker.first_needed(command.resume_from)))
    joined = _joined(command.speaker, command.person, command.numbering, began)
    return Decision([_left(command.speaker, speaker, left_at), joined] if speaker.present else [joined])


def _same_attendance(command: JoinSpeaker, speaker: Speaker) -> bool:
    """Whether it is the one who was here a moment ago."""
    if command.person.participant_id != speaker.person.participant_id:
        return False
    return command.absence is None or command.absence.lasted <= REJOIN_GRACE


def _last_heard_of(command: JoinSpeaker, speaker: Speaker) -> datetime:
    heard = speaker.numbering.ended(speaker.heard_through)
    return max(heard, command.absence.last_frame_at if command.absence else heard, speaker.joined_at)


def _hear(command: HearUtterance, speaker: Speaker) -> Decision[SpeakerEvent]:
    if (command.first_sequence, command.last_sequence) == (speaker.last_first, speaker.heard_through):
        return NOTHING  # the answer to the first attempt was lost
    if command.first_sequence <= speaker.heard_through:
        raise AlreadyHeard(speaker.heard_through)
    return Decision([*_back_again(command, speaker), _transcribed(command, speaker)])


def _back_again(command: HearUtterance, speaker: Speaker) -> list[SpeakerEvent]:
    """Whoever speaks after having left is there again: a sweep took a silent peer for gone while it was rejoining."""
    began = speaker.numbering.began(command.first_sequence)
    if speaker.left_at is None or began <= speaker.left_at:
        return []
    return [_joined(command.speaker, speaker.person, speaker.numbering, began)]


def _joined(key: SpeakerKey, person: Person, numbering: Numbering, at: datetime) -> SpeakerJoined:
    return SpeakerJoined(
        session_id=key.session_id,
        peer_id=key.peer_id,
        participant_id=person.participant_id,
        external_user_id=person.external_user_id,
        display_name=person.display_name,
        claim=person.claim,
        sequence_zero_at=stamp(numbering.zero_at),
        frame_duration=span(numbering.frame_duration),
        joined_at=stamp(at),
    )


def _left(key: SpeakerKey, speaker: Speaker, at: datetime) -> SpeakerLeft:
    return SpeakerLeft(
        session_id=key.session_id,
        peer_id=key.peer_id,
        participant_id=speaker.person.participant_id,
        left_at=stamp(max(at, speaker.joined_at)),
    )


def _transcribed(command: HearUtterance, speaker: Speaker) -> UtteranceTranscribed:
    began = speaker.numbering.began(command.first_sequence)
    ended = speaker.numbering.ended(command.last_sequence)
    start, end = began - command.session_zero_at, ended - command.session_zero_at
    return UtteranceTranscribed(
        session_id=command.speaker.session_id,
        utterance_id=str(command.speaker.utterance_id(command.first_sequence)),
        peer_id=command.speaker.peer_id,
        participant_id=speaker.person.participant_id,
        external_user_id=speaker.person.external_user_id,
        display_name=speaker.person.display_name,
        claim=speaker.person.claim,
        text=command.text,
        first_sequence=command.first_sequence,
        last_sequence=command.last_sequence,
        started_at=stamp(began),
        ended_at=stamp(ended),
        start_offset=span(start),
        end_offset=span(end),
        confidence=command.confidence,
        language=command.language,
        model=command.model,
        heard_at=stamp(command.heard_at),
        settled_through=command.last_sequence if command.settles else speaker.settled_through,
        words=TimedWords(words=timed(command.words, start, end)) if command.words else None,
    )


SPEAKER: Final = Decider[SpeakerCommand, Speaker, SpeakerEvent](
    name="speaker",
    aggregate_id=lambda command: command.speaker.aggregate_id,
    decide=decide,
    evolve=evolve,
    events=SPEAKER_EVENTS,
)
