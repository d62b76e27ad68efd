"""What the demo measures: how right the words are, and how long a speaker waits for them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cortex_client.demo.words import WordErrors, word_errors

# The word error rate that the shipped model must not exceed on the demo's voices, over all speakers.
BOUND = 0.12
# The detector may call the fading end of a word silence: a message may end this many seconds before its last sample.
# Lines of one speaker lie further apart than that.
SLACK_S = 0.3


@dataclass(frozen=True)
class Line:
    """Something that the script has somebody say.

    Attributes:
        user_id: who says it.
        text: the words.
        starts, ends: seconds from the meeting's beginning to its first and after its last sample of speech.
    """

    user_id: str
    text: str
    starts: float
    ends: float


@dataclass(frozen=True)
class Heard:
    """A message as it arrived.

    Attributes:
        user_id: whom it was attributed to.
        text: the words.
        starts, ends: seconds from the meeting's beginning.
        arrived: by the monotonic clock, in seconds.
    """

    user_id: str
    text: str
    starts: float
    ends: float
    arrived: float


class SentFrames:
    """When each frame was handed over, by the monotonic clock."""

    def __init__(self, frame_s: float) -> None:
        self._frame_s = frame_s
        self._at: list[float] = []

    def note(self, now: float) -> None:
        """The next frame is handed over."""
        self._at.append(now)

    def with_sample_before(self, seconds: float) -> float:
        """When the frame was sent that holds the last sample before this time of the meeting."""
        sequence = math.ceil(round(seconds / self._frame_s, 6)) - 1
        return self._at[min(max(sequence, 0), len(self._at) - 1)]


@dataclass(frozen=True)
class SpeakerReport:
    """How one speaker was heard.

    Attributes:
        delays: seconds from the end of speech to the message, in the order of the messages. A message that ends
            while the speaker goes on, because its utterance was split, has none.
    """

    user_id: str
    messages: int
    errors: WordErrors
    delays: Sequence[float]


@dataclass(frozen=True)
class Report:
    """How the meeting was heard."""

    speakers: Sequence[SpeakerReport]

    @property
    def messages(self) -> int:
        """Messages of all speakers."""
        return sum(speaker.messages for speaker in self.speakers)

    @property
    def errors(self) -> WordErrors:
        """The words of all speakers."""
        return sum((speaker.errors for speaker in self.speakers), WordErrors(0, 0))

    @property
    def delays(self) -> Sequence[float]:
        """The delays of all speakers, in seconds."""
        return [delay for speaker in self.speakers for delay in speaker.delays]

    @property
    def is_good(self) -> bool:
        """Whether the words are right enough, and every speaker's delay could be measured."""
        return self.errors.rate <= BOUND and all(speaker.delays for speaker in self.speakers)


def measure(lines: Sequence[Line], heard: Sequence[Heard], sent: Mapping[str, SentFrames]) -> Report:
    """Compare the script with what was heard; `sent` is by user id, and names every speaker."""
    return Report([_measure_speaker(user_id, lines, heard, frames) for user_id, frames in sent.items()])


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values do not exceed (nearest rank). Needs a value."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def last_line(report: Report, speed: float) -> str:
    """The demo's last line."""
    p95 = percentile(report.delays, 0.95) * 1_000 if report.delays else math.nan
    mark = "" if speed == 1 else f" (speed {speed:g})"
    return (
        f"demo {'ok' if report.is_good else 'failed'}: {len(report.speakers)} speakers, {report.messages} messages,"
        f" word error rate {report.errors.rate:.2f}, p95 end of speech to message {p95:.0f} ms{mark}"
    )


def _measure_speaker(user_id: str, lines: Sequence[Line], heard: Sequence[Heard], sent: SentFrames) -> SpeakerReport:
    own_lines = [line for line in lines if line.user_id == user_id]
    own = sorted((message for message in heard if message.user_id == user_id), key=lambda message: message.starts)
    errors = word_errors((line.text for line in own_lines), (message.text for message in own))
    ends = [(message, end_of_speech(own_lines, message)) for message in own]
    delays = [message.arrived - sent.with_sample_before(end) for message, end in ends if end is not None]
    return SpeakerReport(user_id, len(own), errors, delays)


def end_of_speech(lines: Sequence[Line], message: Heard) -> float | None:
    """The end of the last of these lines that the message holds to its end, or None when it holds none to its end."""
    ends = [line.ends for line in lines if message.starts < line.ends <= message.ends + SLACK_S]
    return max(ends, default=None)
