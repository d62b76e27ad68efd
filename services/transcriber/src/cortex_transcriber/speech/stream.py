"""One speaker's audio, from frames to events. Everything follows from sequence numbers, nothing from arrival."""

from collections import deque
from collections.abc import Sequence
from typing import Final

import numpy as np

from cortex_transcriber.speech.decoding import FULL_SCALE, Decoder, Pcm
from cortex_transcriber.speech.events import EndLikely, Event, InterimDue, QuietThrough, SegmentReady, SpeechStarted
from cortex_transcriber.speech.frames import LONGEST_FRAME_MS, SAMPLES_PER_MS, AudioFormat
from cortex_transcriber.speech.gate import quiet_chunks
from cortex_transcriber.speech.gathering import MOST, Gathering
from cortex_transcriber.speech.ordering import Counters, Heard, Lost, Ordering, Piece, Silent
from cortex_transcriber.speech.preroll import Preroll
from cortex_transcriber.speech.ring import AudioBuffer, BufferFull
from cortex_transcriber.speech.segmenting import Cut, Cutter, Decision, Grown, Paused, Rested, Segmenting, Started
from cortex_transcriber.speech.voice_detector import CHUNK, CONTEXT, Floats

RESTS_KEPT: Final = 2
"""Of a long silence so many times 2 s are gone through, beside the endpoint's; the rest is passed over at once."""

MOST_AT_ONCE: Final = 16
"""Chunks that may wait to be judged together, 512 ms: nothing is decided sooner with the usual endpoint of 500 ms, and
beyond it a chunk becomes hardly cheaper."""


class SpeakerStream:
    """The audio of one peer.

    Frames go in by `push` and `silent_through`, nearly all of them by the short way of `gathering`; `VadBatcher.listen`
    makes events of them for many streams at once.

    Args:
        audio: what the peer declared.
        decoder: of that format.
        settings: how speech is cut.
        start: the first frame that counts: where the peer begins, or the one after what was acknowledged.
        heard_through: last frame of the last stored utterance; segments are clipped to begin after it.
    """

    def __init__(
        self,
        audio: AudioFormat,
        decoder: Decoder,
        settings: Segmenting,
        start: int = 0,
        heard_through: int | None = None,
    ) -> None:
        self.audio = audio
        self.counters = Counters()
        self.endpoint_ms = settings.endpoint_ms
        self._ordering = Ordering(audio, start, self.counters)
        self._decoder = decoder
        self._frame = audio.frame_samples
        self._heard_through = start - 1 if heard_through is None else heard_through
        self._cutter = Cutter(settings, self._frame)
        self._kept = RESTS_KEPT * self._cutter.rest + settings.endpoint_ms * SAMPLES_PER_MS
        self._spare = self._kept + self._cutter.rest + LONGEST_FRAME_MS * SAMPLES_PER_MS + MOST * self._frame
        self._buffer = AudioBuffer()
        self.gathering = Gathering(audio, decoder, self._ordering)
        self._start = start
        self._base = start  # the sequence number of position 0, when silence that was passed over is counted
        self._passed_over: deque[tuple[int, int]] = deque()  # position, frames
        self._stops: deque[int] = deque()  # positions where what goes on ends
        self._discard = 0  # samples of the pre-roll that are still to come
        self._preroll = Preroll(-(-decoder.preroll_ms // audio.frame_ms))
        self._rested_through = self._quiet_through = start - 1
        self._state: Floats | None = None  # of the detector; none as long as there was silence since the last rest
        self._silence = 0  # chunks of it
        self._levels: list[float] = []
        self._events: list[Event] = []

    def push(self, first_sequence: int, payloads: Sequence[bytes]) -> None:
        """Take frames with consecutive numbers, in any order of messages.

        Those before the first one that counts are passed over. A missing one is waited for until 100 ms of later audio
        has come; then it is concealed where the decoder can, and heard as silence otherwise.

        Raises:
            AudioRefused: a payload that is no frame of the peer's format; none of them was taken.
            BufferFull: more than 80 s wait to be listened to.
        """
        self._decoder.check(payloads)
        self.push_checked(first_sequence, payloads)

    def push_checked(self, first_sequence: int, payloads: Sequence[bytes]) -> None:
        """Take frames likewise that were found to be some of the peer's format.

        Raises:
            BufferFull: more than 80 s wait to be listened to.
        """
        self._require_room(len(payloads))
        if first_sequence < self._start:
            behind = min(self._start - first_sequence, len(payloads))
            self._preroll.add(first_sequence, payloads[:behind])
            self.counters.resent += behind
            first_sequence, payloads = first_sequence + behind, payloads[behind:]
        self._take(self._ordering.frames(first_sequence, payloads))

    def silent_through(self, sequence: int, first: int | None = None) -> None:
        """Take the peer's word that frames are silence: from `first` on, or from where its frames ended, to this one.

        Raises:
            BufferFull: more than 80 s wait to be listened to.
        """
        self._require_room(0)
        self._take(self._ordering.silence(self._ordering.after_last if first is None else first, sequence))

    def end(self) -> None:
        """End what goes on: the peer left, or sent nothing for so long. Frames may follow and begin anew."""
        self._take(self._ordering.release())
        self._decode_gathered()
        self._append(self._decoder.flush())
        self._stops.append(self._buffer.end)

    @property
    def next_sequence(self) -> int:
        """The first frame that was not taken yet: none after it was, except those held back for the sake of it."""
        return self._ordering.next

    @property
    def room_ms(self) -> int:
        """How much more audio it can take before some is listened to."""
        return (self._buffer.room - len(self.gathering.payloads) * self._frame) // SAMPLES_PER_MS

    @property
    def nbytes(self) -> int:
        """Memory held for audio."""
        return self._buffer.nbytes + sum(map(len, self.gathering.payloads))

    @property
    def speaking(self) -> bool:
        """Whether an utterance goes on."""
        return self._cutter.speaking

    @property
    def unheard(self) -> bool:
        """Whether anything was taken that was not listened to."""
        return bool(self.gathering.payloads) or self._buffer.end - self._cutter.position >= CHUNK

    @property
    def ready(self) -> bool:
        """Whether there is anything to listen to: so much that it could be decided upon."""
        gathering = self.gathering
        if gathering.look_at is None:
            enough = self._cutter.position + min(self._cutter.undecided, MOST_AT_ONCE) * CHUNK
            gathering.look_at = max(0, -(-(enough - self._buffer.end) // self._frame))
        return len(gathering.payloads) >= gathering.look_at or bool(self._stops)

    def next_chunks(self, rows: Pcm) -> int:
        """Pass over what needs no judgement, then write the next chunks, each with its context, into `rows`.

        Returns:
            How many, so far as they are to be judged one after another; 0 when there is none.
        """
        self._decode_gathered()
        while True:
            self._pass_over()
            if self._until() - self._cutter.position < CHUNK:
                if not self._stops:
                    return 0
                self._stop(self._stops[0])
            elif self._cutter.speaking and self._in_passed_over():
                self._act(self._cutter.stop(self._passed_over[0][0]))
            elif not self._quiet():
                count = self._in_a_row(len(rows))
                self._write(rows[:count])
                return count

    def state(self, after_silence: Floats) -> Floats:
        """What the detector remembers of this stream, [2, 128].

        Args:
            after_silence: [LONGEST_SILENCE, 2, 128], what it remembers after so many chunks of silence.
        """
        state: Floats = after_silence[self._silence] if self._state is None else self._state
        return state

    def judged(self, probabilities: Sequence[float], state: Floats) -> None:
        """Go on by the chunks that were written last; the detector remembers `state` after them."""
        self.gathering.look_at = None
        self._state = state.copy()  # the batch's array must not live as long as this stream
        for probability, level in zip(probabilities, self._levels, strict=True):
            if decisions := self._cutter.judged(probability, level):
                self._act(decisions)
                if self._cutter.fresh:
                    return  # Everything starts from zero, perhaps elsewhere: what follows was judged in vain.
        self._drop_heard()

    def take_events(self) -> list[Event]:
        """What was heard since the last call."""
        events, self._events = self._events, []
        return events

    def _require_room(self, frames: int) -> None:
        """Before anything is taken: room for the frames, for a silence before them, and for what a decoder owes."""
        waited = frames + self._ordering.holds + self._ordering.waited
        if waited * self._frame + self._spare > self._buffer.room:
            raise BufferFull(f"{self.audio.frame_ms * frames} ms more than may wait to be listened to")

    def _take(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            match piece:
                case Heard(first, payloads):
                    self._add_heard(first, payloads)
                case Lost(frames):
                    self._add_lost(frames)
                case Silent(frames):
                    self._add_silence(frames)

    def _add_heard(self, first: int, payloads: Sequence[bytes]) -> None:
        self._decode_gathered()
        before = self._preroll.before(first)
        if before:
            self._discard += len(before) * self._frame
            self._append(self._decoder.decode(before))
        self._append(self._decoder.decode(payloads))
        self.counters.corrupt = self._decoder.corrupt

    def _decode_gathered(self) -> None:
        gathering = self.gathering
        gathering.look_at = None
        if gathering.payloads:
            gathered, gathering.payloads = gathering.payloads, []
            self._append(self._decoder.decode(gathered))

    def _add_lost(self, frames: int) -> None:
        self._decode_gathered()
        guess = self._decoder.conceal(frames)
        if guess is None:
            self._add_silence(frames)
        else:
            self._append(guess)

    def _append(self, pcm: Pcm) -> None:
        if self._discard:
            dropped = min(self._discard, len(pcm))
            self._discard -= dropped
            pcm = pcm[dropped:]
        self._buffer.append(pcm)

    def _add_silence(self, frames: int) -> None:
        self._decode_gathered()
        self._append(self._decoder.flush())
        samples = frames * self._frame
        rests = max(0, samples - self._kept) // self._cutter.rest
        self._buffer.append_silence(samples - rests * self._cutter.rest)
        if rests:
            self._passed_over.append((self._buffer.end, rests * self._cutter.rest // self._frame))

    def _until(self) -> int:
        """Up to where may be looked now."""
        return self._stops[0] if self._stops else self._buffer.end

    def _pass_over(self) -> None:
        """At the last point of rest before a long silence: go to the last one within it."""
        while self._passed_over and self._cutter.fresh:
            position, frames = self._passed_over[0]
            if position - self._cutter.position > self._cutter.rest:
                return
            self._passed_over.popleft()
            self._base += frames
            self._tell_quiet(self._sequence(self._cutter.position - self._cutter.rest) - 1)
            self._rested(self._cutter.position)

    def _in_passed_over(self) -> bool:
        """Whether a detector that takes silence for speech has come to where silence was left out."""
        return bool(self._passed_over) and self._passed_over[0][0] - self._cutter.position < CHUNK

    def _quiet(self) -> bool:
        """Pass over chunks that are surely silence, as long as there was nothing else; whether there were any."""
        if self._state is not None:
            return False
        start = self._cutter.position
        end = min(self._until(), start + self._cutter.quiet_chunks_left * CHUNK)
        chunks = quiet_chunks(self._buffer.view(start, end))
        if chunks:
            self._silence += chunks
            self._act(self._cutter.quiet(chunks))
        return chunks > 0

    def _in_a_row(self, most: int) -> int:
        """How many chunks, at least one, are to be judged whatever is found in those before them."""
        start, cutter = self._cutter.position, self._cutter
        most = min(most, cutter.undecided if cutter.speaking else cutter.quiet_chunks_left)
        end = min(self._until(), start + most * CHUNK)
        if self._passed_over:
            end = max(start, min(end, self._passed_over[0][0]))
        return max(1, (end - start) // CHUNK)

    def _write(self, rows: Pcm) -> None:
        position = self._cutter.position
        chunks = self._buffer.view(position, position + len(rows) * CHUNK).reshape(len(rows), CHUNK)
        rows[:, CONTEXT:] = chunks
        rows[1:, :CONTEXT] = chunks[:-1, -CONTEXT:]
        rows[0, :CONTEXT] = 0 if self._cutter.fresh else self._buffer.view(position - CONTEXT, position)
        wide = chunks.astype(np.float64)  # exact, so that a level does not depend on how the sum is made
        self._levels = (np.vecdot(wide, wide) / (CHUNK * FULL_SCALE**2)).tolist()

    def _stop(self, position: int) -> None:
        self._act(self._cutter.stop(position))
        if position - self._cutter.position >= CHUNK:
            return  # The utterance ended before: what follows it is judged from zero, as after a restart there.
        self._stops.popleft()
        self._cutter.start_at(position)
        self._rested(position)
        self._pass_over()
        self._tell_quiet(self._rested_through)

    def _act(self, decisions: list[Decision]) -> None:
        for decision in decisions:
            match decision:
                case Started(start):
                    self._tell_started(self._sequence(start))
                case Grown(start, end):
                    self._tell_so_far(InterimDue, start, end)
                case Paused(start, end):
                    self._tell_so_far(EndLikely, start, end)
                case Cut():
                    self._tell_cut(decision)
                case Rested(at):
                    # Start padding may reach back behind this point, but not behind the one before.
                    self._tell_quiet(self._rested_through)
                    self._rested(at)
        self._drop_heard()

    def _drop_heard(self) -> None:
        self._buffer.drop_before(min(self._cutter.needed_from, self._cutter.position - CONTEXT))

    def _tell_started(self, sequence: int) -> None:
        self._events.append(SpeechStarted(max(sequence, self._heard_through + 1)))

    def _tell_so_far(self, event: type[InterimDue] | type[EndLikely], start: int, end: int) -> None:
        start = self._clipped(start)
        if start < end:
            first, last = self._sequence(start), self._sequence(end) - 1
            self._events.append(event(first, last, self._buffer.view(start, end).copy()))

    def _tell_cut(self, cut: Cut) -> None:
        start, last = self._clipped(cut.start), self._sequence(cut.end) - 1
        if cut.stats and start < cut.end:
            pcm = self._buffer.view(start, cut.end).copy()
            self._events.append(SegmentReady(self._sequence(start), last, cut.stats, cut.rests, pcm))
            self._quiet_through = last if cut.rests else self._quiet_through
        elif cut.rests:
            self._tell_quiet(last)
        if cut.rests:
            self._rested(cut.end)

    def _tell_quiet(self, sequence: int) -> None:
        if sequence > self._quiet_through:
            self._quiet_through = sequence
            self._events.append(QuietThrough(sequence))

    def _rested(self, position: int) -> None:
        self._state, self._silence = None, 0
        self._rested_through = self._sequence(position) - 1

    def _clipped(self, position: int) -> int:
        return max(position, (self._heard_through + 1 - self._base) * self._frame)

    def _sequence(self, position: int) -> int:
        return self._base + position // self._frame
