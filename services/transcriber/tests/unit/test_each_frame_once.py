"""However audio is resent, cut anew and raced for, a speaker's events hold each frame at most once."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from cortex.common.v1.claim_pb2 import CLAIM_UNVERIFIED
from cortex.transcriber.v1.events_pb2 import UtteranceTranscribed
from cortex_eventing.times import time_of
from cortex_transcriber.domain.commands import Absence, HearUtterance, JoinSpeaker, LeaveSpeaker, Person, SpeakerKey
from cortex_transcriber.domain.decisions import SPEAKER
from cortex_transcriber.domain.errors import AlreadyHeard
from cortex_transcriber.domain.numbering import Numbering
from cortex_transcriber.domain.speaker import Speaker, SpeakerEvent
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

pytestmark = pytest.mark.unit

ZERO = datetime(2026, 5, 1, tzinfo=UTC)
KEY = SpeakerKey("018f0000-0000-7000-8000-000000000001", "peer-1")
PERSON = Person("018f0000-0000-7000-8000-00000000000a", "ada", "Ada", CLAIM_UNVERIFIED)
JOIN = JoinSpeaker(KEY, PERSON, Numbering(ZERO, timedelta(milliseconds=20)), resume_from=0)
SEQUENCES = st.integers(0, 400)
LENGTHS = st.integers(1, 60)


class RacingStreams(RuleBasedStateMachine):
    """Streams that hear the same peer, each with cuts of its own, in any order."""

    @initialize()
    def join(self) -> None:
        """The peer joins."""
        self.events: list[SpeakerEvent] = []
        self.refused_rightly = True
        self._store(JOIN)

    @rule(first=SEQUENCES, length=LENGTHS, settles=st.booleans())
    def hear(self, first: int, length: int, settles: bool) -> None:
        """Some stream cut these frames out as an utterance."""
        before = self._speaker()
        last = first + length - 1
        try:
            self._store(HearUtterance(KEY, first, last, settles, ZERO, ZERO, "words", 1.0, "en", "m"))
        except AlreadyHeard:
            self.refused_rightly &= first <= before.heard_through

    @rule()
    def resume(self) -> None:
        """A stream resumes where the store says and hears the next frames."""
        speaker = self._speaker()
        assert speaker.first_needed(0) <= speaker.heard_through + 1
        needed = speaker.heard_through + 1
        self._store(HearUtterance(KEY, needed, needed + 9, True, ZERO, ZERO, "words", 1.0, "en", "m"))
        assert self._speaker().heard_through == needed + 9

    @rule(sequence=SEQUENCES)
    def leave(self, sequence: int) -> None:
        """The peer, or the sweep, says that it left."""
        self._store(LeaveSpeaker(KEY, JOIN.numbering.ended(sequence)))

    @rule(seconds=st.integers(0, 120), sequence=SEQUENCES)
    def rejoin(self, seconds: int, sequence: int) -> None:
        """The peer comes back, sooner or later."""
        absence = Absence(timedelta(seconds=seconds), JOIN.numbering.ended(sequence))
        self._store(JoinSpeaker(KEY, PERSON, JOIN.numbering, sequence, absence))

    @invariant()
    def each_frame_once(self) -> None:
        """No frame is in two utterances, and utterances are in speaking order."""
        spoken = [event for event in self.events if isinstance(event, UtteranceTranscribed)]
        for before, after in pairwise(spoken):
            assert before.last_sequence < after.first_sequence

    @invariant()
    def refusals_are_right(self) -> None:
        """Only audio that was heard is refused."""
        assert self.refused_rightly

    @invariant()
    def attendance_alternates(self) -> None:
        """Nobody joins twice or leaves twice, and nobody leaves before joining."""
        turns = [event for event in self.events if not isinstance(event, UtteranceTranscribed)]
        assert [event.DESCRIPTOR.name for event in turns] == (["SpeakerJoined", "SpeakerLeft"] * len(turns))[
            : len(turns)
        ]
        times = [time_of(event.joined_at if hasattr(event, "joined_at") else event.left_at) for event in turns]
        assert times == sorted(times)

    def _speaker(self) -> Speaker:
        speaker = SPEAKER.fold(self.events)
        assert speaker is not None
        return speaker

    def _store(self, command: JoinSpeaker | HearUtterance | LeaveSpeaker) -> None:
        self.events.extend(SPEAKER.decide(command, SPEAKER.fold(self.events)).events)


TestRacingStreams = RacingStreams.TestCase
