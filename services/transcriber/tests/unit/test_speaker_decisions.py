"""The rules of a speaker: given what happened, when something is asked, then this follows."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cortex.common.v1.claim_pb2 import CLAIM_UNVERIFIED
from cortex.transcriber.v1.events_pb2 import SpeakerJoined, SpeakerLeft, UtteranceTranscribed
from cortex_eventing.errors import Impossible
from cortex_eventing.times import length_of, span, stamp
from cortex_transcriber.domain.commands import (
    Absence,
    HearUtterance,
    JoinSpeaker,
    LeaveSpeaker,
    Person,
    SpeakerCommand,
    SpeakerKey,
)
from cortex_transcriber.domain.decisions import SPEAKER
from cortex_transcriber.domain.errors import AlreadyHeard, NumberingChanged, SpeakerUnknown
from cortex_transcriber.domain.numbering import Numbering
from cortex_transcriber.domain.speaker import SpeakerEvent
from cortex_transcriber.speech.words import Word

pytestmark = pytest.mark.unit

SESSION_ZERO = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
ZERO = SESSION_ZERO + timedelta(seconds=10)
FRAME = timedelta(milliseconds=20)
HEARD_AT = SESSION_ZERO - timedelta(minutes=10)  # the bot's clock is fast
KEY = SpeakerKey("018f0000-0000-7000-8000-000000000001", "peer-1")
PERSON = Person("018f0000-0000-7000-8000-00000000000a", "ada", "Ada", CLAIM_UNVERIFIED)
JOIN = JoinSpeaker(KEY, PERSON, Numbering(ZERO, FRAME), resume_from=0)


def joined(seconds: float = 0) -> SpeakerJoined:
    """The peer joined this long after its numbering began."""
    return SpeakerJoined(
        session_id=KEY.session_id,
        peer_id=KEY.peer_id,
        participant_id=PERSON.participant_id,
        external_user_id=PERSON.external_user_id,
        display_name=PERSON.display_name,
        claim=PERSON.claim,
        sequence_zero_at=stamp(ZERO),
        frame_duration=span(FRAME),
        joined_at=stamp(ZERO + timedelta(seconds=seconds)),
    )


def left(seconds: float) -> SpeakerLeft:
    """The peer left this long after its numbering began."""
    return SpeakerLeft(
        session_id=KEY.session_id,
        peer_id=KEY.peer_id,
        participant_id=PERSON.participant_id,
        left_at=stamp(ZERO + timedelta(seconds=seconds)),
    )


def hear(first: int, last: int, *, settles: bool = True) -> HearUtterance:
    """The words of these frames."""
    return HearUtterance(KEY, first, last, settles, SESSION_ZERO, HEARD_AT, "hello", 0.9, "en", "scripted")


def transcribed(first: int, last: int, settled_through: int | None = None) -> UtteranceTranscribed:
    """These frames were stored as an utterance."""
    began, ended = ZERO + first * FRAME, ZERO + (last + 1) * FRAME
    return UtteranceTranscribed(
        session_id=KEY.session_id,
        utterance_id=str(KEY.utterance_id(first)),
        peer_id=KEY.peer_id,
        participant_id=PERSON.participant_id,
        external_user_id=PERSON.external_user_id,
        display_name=PERSON.display_name,
        claim=PERSON.claim,
        text="hello",
        first_sequence=first,
        last_sequence=last,
        started_at=stamp(began),
        ended_at=stamp(ended),
        start_offset=span(began - SESSION_ZERO),
        end_offset=span(ended - SESSION_ZERO),
        confidence=0.9,
        language="en",
        model="scripted",
        heard_at=stamp(HEARD_AT),
        settled_through=last if settled_through is None else settled_through,
    )


def events_of(command: SpeakerCommand, *given: SpeakerEvent) -> Sequence[SpeakerEvent]:
    """What a command leads to after these events."""
    return list(SPEAKER.decide(command, SPEAKER.fold(given)).events)


class WhenUnknown:
    def test_joining_says_who_and_since_when(self) -> None:
        """The first join is dated by the first frame that the bot holds."""
        assert events_of(replace(JOIN, resume_from=50)) == [joined(seconds=1)]

    @pytest.mark.parametrize("command", [hear(0, 9), LeaveSpeaker(KEY, ZERO)])
    def test_nothing_else_is_possible(self, command: SpeakerCommand) -> None:
        """Words and goodbyes need somebody who joined."""
        with pytest.raises(SpeakerUnknown):
            events_of(command)

    def test_an_event_before_the_join_is_a_damaged_store(self) -> None:
        """No history begins with words."""
        with pytest.raises(Impossible):
            SPEAKER.fold([transcribed(0, 9)])


class WhenPresent:
    def test_joining_again_at_once_is_the_same_attendance(self) -> None:
        """A stream that broke and came back tells nobody anything."""
        absence = Absence(timedelta(seconds=60), ZERO)
        assert events_of(replace(JOIN, absence=absence), joined()) == []

    def test_joining_again_late_closes_the_first_attendance(self) -> None:
        """After more than a minute the peer had left with its last frame, whether the sweep was there or not."""
        absence = Absence(timedelta(seconds=61), ZERO + timedelta(seconds=5))
        again = replace(JOIN, resume_from=5_000, absence=absence)
        assert events_of(again, joined(), transcribed(0, 99)) == [left(5), joined(100)]

    def test_another_person_under_the_same_peer_is_another_attendance(self) -> None:
        """The one who was there has left, and nobody is charged with another's words."""
        other = replace(PERSON, participant_id="018f0000-0000-7000-8000-00000000000b")
        events = events_of(replace(JOIN, person=other, resume_from=100), joined(), transcribed(0, 99))
        assert [type(event) for event in events] == [SpeakerLeft, SpeakerJoined]
        assert events[0] == left(2)
        assert events[1].participant_id == other.participant_id

    @pytest.mark.parametrize("numbering", [Numbering(ZERO + FRAME, FRAME), Numbering(ZERO, FRAME * 2)])
    def test_the_numbering_is_fixed(self, numbering: Numbering) -> None:
        """The same number must mean the same moment for ever."""
        with pytest.raises(NumberingChanged):
            events_of(replace(JOIN, numbering=numbering), joined())

    def test_leaving_is_dated(self) -> None:
        """The goodbye carries the time it is given."""
        assert events_of(LeaveSpeaker(KEY, ZERO + timedelta(seconds=3)), joined()) == [left(3)]

    def test_nobody_leaves_before_joining(self) -> None:
        """A peer that sent no frame leaves when it joined."""
        assert events_of(LeaveSpeaker(KEY, ZERO), joined(2)) == [left(2)]


class WhenSpeaking:
    def test_an_utterance_is_attributed_and_timed(self) -> None:
        """Every time derives from sequence numbers; who it was comes from the join."""
        assert events_of(hear(100, 149), joined()) == [transcribed(100, 149)]

    def test_its_words_are_timed_like_itself(self) -> None:
        """They count from the session's creation; what a model places behind the audio's end is placed at its end."""
        words = (Word("hello", 0.0, 0.5), Word("there", 0.44, 1.0), Word("far", 99.0, 1.0))
        (event,) = events_of(replace(hear(50, 99), words=words), joined())
        assert isinstance(event, UtteranceTranscribed)
        began = timedelta(seconds=11)
        assert [(word.text, length_of(word.start_offset), word.confidence) for word in event.words.words] == [
            ("hello", began, 0.5),
            ("there", began + timedelta(milliseconds=440), 1.0),
            ("far", began + timedelta(seconds=1), 1.0),
        ]
        assert length_of(event.start_offset) == began

    def test_the_next_one_may_follow_without_a_gap(self) -> None:
        """Utterances that touch share no frame."""
        assert events_of(hear(100, 149), joined(), transcribed(50, 99)) == [transcribed(100, 149)]

    def test_a_piece_of_speech_that_goes_on_does_not_settle(self) -> None:
        """A restart must begin before it, so that the speech is cut in the same places again."""
        given = joined(), transcribed(0, 49), transcribed(60, 99, settled_through=49)
        assert events_of(hear(100, 149, settles=False), *given) == [transcribed(100, 149, settled_through=49)]
        speaker = SPEAKER.fold(given)
        assert speaker is not None
        assert (speaker.heard_through, speaker.first_needed(0), speaker.first_needed(70)) == (99, 50, 70)

    @pytest.mark.parametrize(("first", "last"), [(50, 120), (99, 120), (60, 70), (0, 10)])
    def test_audio_that_was_heard_is_refused(self, first: int, last: int) -> None:
        """However a resend is cut, no frame is in two utterances."""
        with pytest.raises(AlreadyHeard) as refusal:
            events_of(hear(first, last), joined(), transcribed(50, 99))
        assert refusal.value.heard_through == 99

    def test_the_same_utterance_again_changes_nothing(self) -> None:
        """A lost answer and a second attempt are no error."""
        assert events_of(hear(50, 99), joined(), transcribed(50, 99)) == []


class WhenGone:
    def test_leaving_again_changes_nothing(self) -> None:
        """The sweep and a goodbye may race."""
        assert events_of(LeaveSpeaker(KEY, ZERO + timedelta(seconds=9)), joined(), left(3)) == []

    def test_joining_again_is_a_new_attendance(self) -> None:
        """It starts with the first frame that was not heard yet, and never before the goodbye."""
        assert events_of(replace(JOIN, resume_from=500), joined(), left(3)) == [joined(10)]
        assert events_of(JOIN, joined(), left(3)) == [joined(3)]

    def test_words_begun_before_leaving_are_stored(self) -> None:
        """Recognition may end after the peer has left."""
        assert events_of(hear(100, 149), joined(), left(3)) == [transcribed(100, 149)]

    def test_whoever_speaks_afterwards_is_there_again(self) -> None:
        """A sweep that raced with a rejoin is mended by the next words."""
        assert events_of(hear(200, 249), joined(), left(3)) == [joined(4), transcribed(200, 249)]
