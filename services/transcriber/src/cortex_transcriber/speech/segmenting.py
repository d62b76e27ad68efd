"""How speech is cut into utterances: the settings, and the state machine that probabilities drive.

Positions are samples at 16 kHz from the beginning of the stream. Everything starts from zero at points of rest:
after each utterance, and every 2 s of silence. These follow from positions alone, so a stream that is heard again
from such a point on is cut in the same places.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from cortex_transcriber.speech.frames import LONGEST_FRAME_MS, SAMPLES_PER_MS
from cortex_transcriber.speech.voice_detector import CHUNK

REST_MS: Final = 2_000
"""Silence after which everything starts from zero. It costs no accuracy (measured: 4.9 % of words against 5.1 %)."""

LONGEST_SILENCE: Final = -(-(REST_MS + LONGEST_FRAME_MS) * SAMPLES_PER_MS // CHUNK)
"""Chunks of silence at most until everything starts from zero."""

LONGEST_TURN_MS: Final = 60_000
"""Speech without a pause is split without starting from zero, because a fresh detector in the middle of speech decides
otherwise for seconds; but what is acknowledged waits for a start from zero, and a bot must not keep audio for ever."""

SHORTEST_ENDPOINT_MS, LONGEST_ENDPOINT_MS = 300, 5_000
"""Silence that may be asked for as the end of an utterance: less lies within words and sentences, more keeps a text
waiting for longer than anybody pauses for thought."""

EARLIEST_SPLIT: Final = 0.5
"""Part of the longest utterance before which it is not split."""

NEIGHBOURS: Final = 3
"""Chunks over which loudness is averaged in looking for the weakest point: about 100 ms, a short gap between words."""

DECIBELS: Final = 10.0
"""Loudness is weighed against probability: this many decibels count as much as a certain detector."""


@dataclass(frozen=True)
class Segmenting:
    """Where an utterance begins and ends. The times are milliseconds.

    Attributes:
        threshold: probability from which a chunk starts speech.
        release: probability below which a chunk may end it.
        endpoint_ms: silence that ends an utterance.
        start_padding_ms: audio taken in before the first chunk of speech.
        end_padding_ms: audio taken in after the last one; less than the endpoint's silence by the longest frame.
        min_speech_ms: chunks of speech that an utterance must have; shorter ones are noise.
        max_utterance_ms: length, padding included, at which speech is split.
        interim_ms: time between two interims while speech goes on; 0 for none.
        early_ms: silence after which the end of an utterance is likely enough to begin its recognition; 0 for never.
    """

    threshold: float = 0.5
    release: float = 0.35
    endpoint_ms: int = 500
    start_padding_ms: int = 100
    end_padding_ms: int = 100
    min_speech_ms: int = 200
    max_utterance_ms: int = 15_000
    interim_ms: int = 1_000
    early_ms: int = 250

    def __post_init__(self) -> None:
        if not 0 < self.release <= self.threshold < 1:
            raise ValueError("release must be above 0 and at most threshold, threshold below 1")
        if self.end_padding_ms + LONGEST_FRAME_MS > self.endpoint_ms:
            raise ValueError(f"end_padding_ms must be at least {LONGEST_FRAME_MS} below endpoint_ms")
        if not 0 <= self.start_padding_ms < REST_MS - LONGEST_FRAME_MS:
            raise ValueError(f"start_padding_ms must be 0 to {REST_MS - LONGEST_FRAME_MS}")
        if self.max_utterance_ms < 2 * (self.endpoint_ms + self.start_padding_ms):
            raise ValueError("max_utterance_ms must be at least twice endpoint_ms and start_padding_ms together")

    @property
    def endpoints_ms(self) -> tuple[int, int]:
        """The shortest and the longest silence that may end an utterance beside the other settings."""
        longest = self.max_utterance_ms // 2 - self.start_padding_ms
        return max(SHORTEST_ENDPOINT_MS, self.end_padding_ms + LONGEST_FRAME_MS), min(LONGEST_ENDPOINT_MS, longest)


@dataclass(frozen=True)
class SpeechStats:
    """What the voice detector thought of a segment.

    Attributes:
        mean: mean probability over the chunks between the first and the last one of speech.
        highest: the highest one.
        speech_ms: how long it was above the threshold, all together.
    """

    mean: float
    highest: float
    speech_ms: int


@dataclass(frozen=True)
class Started:
    """Speech began."""

    start: int


@dataclass(frozen=True)
class Grown:
    """An utterance has become long enough for another interim."""

    start: int
    end: int


@dataclass(frozen=True)
class Paused:
    """Speech stopped for a while: if it does not go on, it will be cut from `start` to `end`."""

    start: int
    end: int


@dataclass(frozen=True)
class Cut:
    """A piece of speech from `start` to `end`, or, with no stats, a noise too short to be one.

    `rests` says that everything starts from zero at `end`.
    """

    start: int
    end: int
    stats: SpeechStats | None
    rests: bool


@dataclass(frozen=True)
class Rested:
    """Silence up to `at`, where everything starts from zero."""

    at: int


Decision = Started | Grown | Paused | Cut | Rested


@dataclass
class _Voice:
    """Speech that goes on."""

    start: int  # with padding
    since: int  # the chunk of its first probability
    turn: int  # where speech without a pause began
    told: int  # up to where interims were asked for
    probabilities: list[float] = field(default_factory=list)
    levels: list[float] = field(default_factory=list)
    silent_since: int | None = None
    paused: bool = False  # whether this silence was told of


class Cutter:
    """Decides about one stream, chunk by chunk."""

    def __init__(self, settings: Segmenting, frame_samples: int) -> None:
        self._settings = settings
        self._frame = frame_samples
        self._padding = settings.start_padding_ms * SAMPLES_PER_MS
        self._interim = settings.interim_ms * SAMPLES_PER_MS
        self._endpoint = settings.endpoint_ms * SAMPLES_PER_MS
        self._early = settings.early_ms * SAMPLES_PER_MS or self._endpoint
        soonest = min(self._endpoint, self._interim - self._padding) if self._interim else self._endpoint
        self._unbegun = max(1, soonest // CHUNK)
        self._longest = settings.max_utterance_ms * SAMPLES_PER_MS
        self.rest = self._up(REST_MS * SAMPLES_PER_MS)
        self.position = 0
        self._floor = 0
        self._rested_at = 0
        self._voice: _Voice | None = None

    @property
    def speaking(self) -> bool:
        """Whether an utterance goes on."""
        return self._voice is not None

    @property
    def fresh(self) -> bool:
        """Whether everything starts from zero here."""
        return self.position == self._rested_at

    @property
    def needed_from(self) -> int:
        """The first sample that may still become part of a segment."""
        if self._voice:
            return self._voice.start
        return max(self._floor, self._down(self.position - self._padding))

    @property
    def quiet_chunks_left(self) -> int:
        """Chunks of silence until everything starts from zero."""
        return max(1, -(-(self._rested_at + self.rest - self.position) // CHUNK))

    @property
    def undecided(self) -> int:
        """Chunks, at least one, up to the first that can decide anything; those before it may wait for it.

        That somebody begins to speak is of use to nobody at once: what begins here cannot end, nor be told, before the
        silence at its end, or the time between interims, has passed. While somebody speaks it is where the utterance
        could end, become too long, or be told in between.
        """
        voice = self._voice
        if not voice:
            return min(self._unbegun, self.quiet_chunks_left)
        if voice.silent_since is None:
            nearest = self.position + self._endpoint
            if self._interim:
                nearest = min(nearest, voice.told + self._interim)
        else:
            nearest = voice.silent_since + (self._endpoint if voice.paused else self._early)
        nearest = min(nearest, voice.start + self._longest)
        return max(1, -(-(nearest - self.position) // CHUNK))

    def start_at(self, position: int) -> None:
        """Start from zero at a frame's first sample; nothing before it belongs to what follows."""
        self._rest(position)
        self._floor = position

    def quiet(self, chunks: int) -> list[Decision]:
        """Move over silence that needed no judgement: at most `quiet_chunks_left` chunks, nobody speaking."""
        self.position += chunks * CHUNK
        if self.position < self._rested_at + self.rest:
            return []
        self._rest(self._rested_at + self.rest)
        return [Rested(self._rested_at)]

    def judged(self, probability: float, level: float) -> list[Decision]:
        """Move over one chunk that the detector judged; `level` is its mean square."""
        if self._voice:
            return self._go_on(self._voice, probability, level)
        if probability < self._settings.threshold:
            return self.quiet(1)
        return self._begin(probability, level)

    def stop(self, available: int) -> list[Decision]:
        """End what goes on: no more audio follows, and there is none after `available`."""
        if not self._voice:
            return []
        last = self._voice.silent_since
        return [self._end(self._voice, available if last is None else min(self._padded(last), available))]

    def _begin(self, probability: float, level: float) -> list[Decision]:
        start = max(self._floor, self._down(self.position - self._padding))
        self._voice = _Voice(start, self.position, start, start, [probability], [level])
        self.position += CHUNK
        return [Started(start)]

    def _go_on(self, voice: _Voice, probability: float, level: float) -> list[Decision]:
        voice.probabilities.append(probability)
        voice.levels.append(level)
        if probability >= self._settings.threshold:
            voice.silent_since, voice.paused = None, False
        elif probability < self._settings.release and voice.silent_since is None:
            voice.silent_since = self.position
        self.position += CHUNK
        return self._decide(voice)

    def _decide(self, voice: _Voice) -> list[Decision]:
        pause = 0 if voice.silent_since is None else self.position - voice.silent_since
        too_long = self.position - voice.start >= self._longest
        if voice.silent_since is not None:
            # A pause of the longest frame is enough for a cut that takes in all of the speech before it.
            if pause >= self._endpoint or (too_long and pause >= LONGEST_FRAME_MS * SAMPLES_PER_MS):
                return [self._end(voice, min(self._padded(voice.silent_since), self._down(self.position)))]
            return self._pause(voice, voice.silent_since) if pause >= self._early and not voice.paused else []
        if too_long:
            return [self._split(voice)]
        if self._interim and self.position - voice.told >= self._interim:
            voice.told = self.position
            return [Grown(voice.start, self._down(self.position))]
        return []

    def _pause(self, voice: _Voice, silent_since: int) -> list[Decision]:
        """Tell of a pause once all that the utterance would take in of it is there."""
        end = self._padded(silent_since)
        if end > self.position:
            return []
        voice.paused = True
        return [Paused(voice.start, end)] if self._enough(voice, self._stats(voice, end)) else []

    def _end(self, voice: _Voice, end: int) -> Cut:
        stats = self._stats(voice, end)
        self.start_at(end)
        return Cut(voice.start, end, stats if self._enough(voice, stats) else None, rests=True)

    def _enough(self, voice: _Voice, stats: SpeechStats) -> bool:
        return stats.speech_ms >= self._settings.min_speech_ms or voice.turn < voice.start

    def _split(self, voice: _Voice) -> Cut:
        chunk = self._weakest(voice)
        at = self._down(voice.since + chunk * CHUNK + CHUNK // 2)
        cut = Cut(voice.start, at, self._stats(voice, at), rests=at - voice.turn >= LONGEST_TURN_MS * SAMPLES_PER_MS)
        if cut.rests:
            self.start_at(at)
        else:
            since = voice.since + chunk * CHUNK
            later = slice(chunk, None)
            self._voice = _Voice(at, since, voice.turn, at, voice.probabilities[later], voice.levels[later])
        return cut

    def _weakest(self, voice: _Voice) -> int:
        """The chunk, in the later part, where neither detector nor loudness speaks for a word."""
        levels = 10 * np.log10(np.convolve(voice.levels, np.ones(NEIGHBOURS) / NEIGHBOURS, mode="same") + 1e-10)
        weight = np.array(voice.probabilities) + levels / DECIBELS
        first = int((self._longest * EARLIEST_SPLIT - (voice.since - voice.start)) / CHUNK)
        return first + int(weight[first:].argmin())

    def _stats(self, voice: _Voice, end: int) -> SpeechStats:
        chunks = max(1, -(-(end - voice.since) // CHUNK))
        probabilities = np.array(voice.probabilities[:chunks])
        speech = probabilities >= self._settings.threshold
        last = int(np.flatnonzero(speech)[-1]) + 1 if speech.any() else len(probabilities)
        speech_ms = int(speech.sum()) * CHUNK // SAMPLES_PER_MS
        return SpeechStats(float(probabilities[:last].mean()), float(probabilities.max()), speech_ms)

    def _rest(self, position: int) -> None:
        self.position = self._rested_at = position
        self._voice = None

    def _padded(self, speech_end: int) -> int:
        return self._up(speech_end + self._settings.end_padding_ms * SAMPLES_PER_MS)

    def _down(self, position: int) -> int:
        return position // self._frame * self._frame

    def _up(self, position: int) -> int:
        return -(-position // self._frame) * self._frame
