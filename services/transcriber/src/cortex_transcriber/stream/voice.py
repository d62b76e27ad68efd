"""What one peer says: heard, recognised, stored in speaking order, told, acknowledged.

Recognition of several utterances may go on at once. Storing does not: an utterance that is stored bars everything
before its end, so each waits for the one before it.
"""

import asyncio
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from cortex.transcriber.v1.transcriber_service_pb2 import Frames, StreamAudioResponse
from cortex_eventing.failpoints import declare, failpoint
from cortex_runtime.logs import log

from cortex_transcriber.domain.commands import HearUtterance
from cortex_transcriber.domain.errors import AlreadyHeard
from cortex_transcriber.speech.events import EndLikely, Event, InterimDue, QuietThrough, SegmentReady
from cortex_transcriber.speech.recogniser import Recognised
from cortex_transcriber.speech.stream import SpeakerStream
from cortex_transcriber.speech.watermark import Watermark
from cortex_transcriber.stream import answers
from cortex_transcriber.stream.ahead import Ahead
from cortex_transcriber.stream.early_words import EarlyWords
from cortex_transcriber.stream.frame_counts import FrameCounts
from cortex_transcriber.stream.intake import Intake, Taken
from cortex_transcriber.stream.metrics import UNRECOGNISED, UTTERANCES
from cortex_transcriber.stream.parts import Parts
from cortex_transcriber.stream.patience import patiently
from cortex_transcriber.stream.ports import Unrecognisable
from cortex_transcriber.stream.receipts import Receipts
from cortex_transcriber.stream.so_far import SoFar
from cortex_transcriber.stream.whose import Whose

ROOM_MS: Final = 45_000
"""Room that must be left for audio of one peer before more is taken, of 80 s: the longest message, what a loss before
it is filled with, and the silences that are gone through. The 35 s that may wait hold an utterance that goes on (15 s)
and 20 s of speech that is being recognised, stored, or not listened to yet. Beyond it the stream is not read."""

MOST_UNSTORED_MS: Final = 20_000
"""Of that, what may be recognised and stored while frames are taken without a look at the room for them."""

QUIET_OWED_MS: Final = 5_000
"""Silence that is acknowledged by itself, at the point of rest that reaches it: in practice each 6 s. An answer costs
as much as two messages of 100 ms that come in. A bot keeps that much more of a silent peer, 200 KB, with room for two
minutes; after a break it sends that again, when silence is passed over a hundred times faster than it came."""

AFTER_RECOGNITION: Final = declare("transcriber.after_recognition", "an utterance has its words, and is not stored")
AFTER_COMMIT: Final = declare("transcriber.after_commit", "an utterance is stored, and the bot does not know it")
AFTER_FINAL: Final = declare("transcriber.after_final", "the final is on its way to the bot, and not acknowledged")


@dataclass(frozen=True)
class Ear:
    """What listens to one peer.

    Attributes:
        stream: makes segments of its frames.
        intake: checks its frames' numbers.
        preroll: how many frames the decoder needs before it is exact.
    """

    stream: SpeakerStream
    intake: Intake
    preroll: int


@dataclass(frozen=True)
class Spoken:
    """A piece of speech, and its words once they are there."""

    segment: SegmentReady
    words: "asyncio.Task[Recognised]"


class Voice:
    """One peer on one stream."""

    def __init__(self, whose: Whose, ear: Ear, parts: Parts) -> None:
        self._whose = whose
        self._ear = ear.stream
        self._gathering = ear.stream.gathering
        self._intake = ear.intake
        self._preroll = ear.preroll
        self._quiet_owed = QUIET_OWED_MS // ear.stream.audio.frame_ms
        self._venue = whose.venue
        self._parts = parts
        self._watermark = Watermark(ear.stream.next_sequence - 1)
        self._heard: asyncio.Queue[Spoken | QuietThrough | None] = asyncio.Queue()
        self._unstored: set[asyncio.Task[Recognised]] = set()
        self._unstored_ms = 0
        self._ahead = Ahead()
        self._receipts = Receipts()
        self._counts = FrameCounts(ear.stream.counters, ear.intake)
        self._goes_on = True
        self._closed = False
        self._so_far = SoFar(whose, parts)
        self._early = EarlyWords(whose.venue.recognition, whose.venue.session.project_id)
        parts.hearing.attend(ear.stream, self._hear, whose.venue.link)

    @property
    def last_sequence(self) -> int:
        """The last sequence number that is known of."""
        return self._ear.next_sequence - 1

    def introduction(self) -> StreamAudioResponse:
        """Tells the bot who the peer is, and which frames to send."""
        return answers.resolved(self._whose.arrival.handle, self._whose.person, self._intake.expected)

    def take_next(self, frames: Frames) -> bool:
        """Listen to frames by the short way: if they are the next ones, with nothing about them to be thought of.

        Returns:
            Whether they were taken; otherwise they are for the intake to judge, and then for `take`.
        """
        if self._closed or self._unstored_ms > MOST_UNSTORED_MS or frames.HasField("silent_through"):
            return False
        first, payloads = frames.first_sequence, frames.payloads[:]
        if not self._gathering.take_next(first, payloads):
            return False
        self._receipts.came(first, self._parts.now())
        self._intake.expected = first + len(payloads)
        if self._ear.ready:
            self._parts.hearing.given(self._ear)
        return True

    def take(self, taken: Taken) -> Awaitable[None] | None:
        """Listen to frames: at once where there is room for them, which costs no task a turn; else what to wait for."""
        self._receipts.came(taken.first_sequence, self._parts.now())
        if not self._has_room():
            return self._take_later(taken)
        self._listen(taken)
        return None

    async def finish(self, *, speech_is_over: bool) -> None:
        """Hear everything out that was taken; `speech_is_over` ends an utterance that goes on, too.

        Harmless when it was asked for before: a peer leaves, and then the stream ends.
        """
        if self._closed:
            return
        if speech_is_over:
            self._goes_on = False
            self._ear.end()
            self._parts.hearing.given(self._ear)
        await self._parts.hearing.until(lambda: self._closed or not self._ear.ready)
        self.forget()

    def forget(self) -> None:
        """Listen no more; what was heard is still stored."""
        self._closed = True
        self._early.forget()
        self._parts.hearing.forget(self._ear)
        self._heard.put_nowait(None)

    async def store(self) -> None:
        """Store what is heard, in its order, until finished."""
        try:
            while (heard := await self._heard.get()) is not None:
                await self._settle(heard)
            await self._acknowledge(short_by=self._preroll if self._goes_on else 0)
        finally:
            self.forget()
            self._counts.tell()
            for words in self._unstored:
                words.cancel()
            await self._so_far.stop()
            await self._parts.hearing.stir()

    async def _take_later(self, taken: Taken) -> None:
        await self._parts.hearing.until(self._has_room)
        self._listen(taken)

    def _listen(self, taken: Taken) -> None:
        if self._closed:
            return
        if taken.payloads:
            self._ear.push_checked(taken.first_sequence, taken.payloads)
        if taken.silent_through is not None:
            self._ear.silent_through(taken.silent_through, taken.first_sequence + len(taken.payloads))
        self._parts.hearing.given(self._ear)

    def _has_room(self) -> bool:
        return self._closed or self._ear.room_ms - self._unstored_ms >= ROOM_MS

    def _hear(self, event: Event) -> None:
        match event:
            case SegmentReady():
                self._watermark.heard(event)
                self._so_far.over(event.last_sequence)
                words = asyncio.create_task(self._words_of(event))
                words.add_done_callback(_noted)
                self._unstored.add(words)
                self._unstored_ms += event.milliseconds
                self._heard.put_nowait(Spoken(event, words))
            case QuietThrough():
                self._quiet(event)
            case EndLikely() if not self._ahead.recorded(self._parts.now()):
                self._early.likely(event)
            case InterimDue() if not self._ahead.recorded(self._parts.now()):
                self._so_far.due(event)

    def _quiet(self, event: QuietThrough) -> None:
        """Take note of silence; it is acknowledged once enough of it is owed."""
        if self._watermark.heard(event):
            self._receipts.forget_before(self._watermark.acknowledged + 1)
            if self._owed(self._preroll) >= self._quiet_owed:
                self._heard.put_nowait(event)

    async def _settle(self, heard: Spoken | QuietThrough) -> None:
        if isinstance(heard, Spoken):
            await self._store(heard)
            self._receipts.forget_before(heard.segment.last_sequence + 1)
        self._counts.tell()
        await self._acknowledge(short_by=self._preroll)

    async def _store(self, spoken: Spoken) -> None:
        await self._store_words(spoken.segment, spoken.words)
        self._watermark.settled(spoken.segment)
        self._unstored.discard(spoken.words)
        self._unstored_ms -= spoken.segment.milliseconds
        await self._parts.hearing.stir()

    async def _store_words(self, segment: SegmentReady, words: Awaitable[Recognised]) -> None:
        try:
            recognised = await words
        except Unrecognisable:
            self._give_up(segment)
            return
        if not recognised.text:
            return
        command = self._command(segment, recognised)
        await failpoint(AFTER_RECOGNITION)
        try:
            stored = await patiently(lambda: self._parts.speakers.handle(command, self._venue.origin))
        except AlreadyHeard as already:
            await self._store_rest(segment, already.heard_through)
            return
        UTTERANCES.inc()
        await failpoint(AFTER_COMMIT)
        arrival = self._whose.arrival
        await self._venue.outbox.put(answers.final(arrival.handle, command, arrival.numbering, stored.position))
        await failpoint(AFTER_FINAL)

    async def _store_rest(self, segment: SegmentReady, heard_through: int) -> None:
        """Another stream of this peer stored the beginning of it meanwhile, cut otherwise: hear what is left."""
        if segment.last_sequence <= heard_through:
            return
        begun = (heard_through + 1 - segment.first_sequence) * self._ear.audio.frame_samples
        rest = replace(segment, first_sequence=heard_through + 1, pcm=segment.pcm[begun:])
        await self._store_words(rest, self._venue.recognition.final(rest, self._venue.session.project_id))

    def _words_of(self, segment: SegmentReady) -> Coroutine[Any, Any, Recognised]:
        recognition, project_id = self._venue.recognition, self._venue.session.project_id
        if self._ahead.said(segment.milliseconds, self._parts.now()):
            self._early.forget()
            return recognition.recorded(segment, project_id)
        return recognition.final(segment, project_id, self._early.of(segment))

    def _give_up(self, segment: SegmentReady) -> None:
        """Nobody will ever know these words. The speaker has more to say, so it goes on; an operator is told."""
        UNRECOGNISED.inc()
        utterance_id = str(self._whose.speaker.utterance_id(segment.first_sequence))
        log().error("speech_given_up", session_id=self._venue.session.session_id, utterance_id=utterance_id)

    def _command(self, segment: SegmentReady, recognised: Recognised) -> HearUtterance:
        return HearUtterance(
            speaker=self._whose.speaker,
            first_sequence=segment.first_sequence,
            last_sequence=segment.last_sequence,
            settles=segment.settles,
            session_zero_at=self._venue.session.zero_at,
            heard_at=datetime.fromtimestamp(self._receipts.of(segment.first_sequence), UTC),
            text=recognised.text,
            confidence=recognised.confidence,
            language=recognised.language,
            model=recognised.model,
            words=recognised.words,
        )

    async def _acknowledge(self, *, short_by: int) -> None:
        """Tell how far audio is accounted for, short by what a decoder needs to be warm where it is resumed."""
        owed = self._owed(short_by)
        if owed > 0:
            self._intake.acknowledged += owed
            told = answers.acknowledged(self._whose.arrival.handle, self._intake.acknowledged)
            await self._venue.outbox.put(told)

    def _owed(self, short_by: int) -> int:
        """How many frames may be acknowledged."""
        return self._watermark.acknowledged - short_by - self._intake.acknowledged


def _noted(words: "asyncio.Task[Recognised]") -> None:
    """Nobody waits for the words of a stream that broke: a failure of theirs is no defect."""
    if not words.cancelled():
        words.exception()
