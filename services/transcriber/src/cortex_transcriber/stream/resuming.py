"""Where hearing a peer begins, the first time and after a reconnect."""

from dataclasses import dataclass

from cortex_transcriber.speech.frames import AudioFormat
from cortex_transcriber.stream.arrivals import Arrival
from cortex_transcriber.stream.ports import Stored


@dataclass(frozen=True)
class ResumePoint:
    """Two sequence numbers.

    Attributes:
        start: the first frame that counts.
        wanted: the first frame that the bot shall send; those before `start` only warm the decoder up.
    """

    start: int
    wanted: int


def resume_point(arrival: Arrival, stored: Stored, preroll: int) -> ResumePoint:
    """Where to begin.

    A bot holds what was not acknowledged, and acknowledgements stop short by the pre-roll. So what the bot of a known
    speaker holds begins that many frames before the point where everything starts from zero.

    Args:
        arrival: what the bot said.
        stored: the speaker after the join.
        preroll: how many frames the decoder needs before it is exact.
    """
    came_back = stored.version > 1 and arrival.resume_from > 0
    start = stored.speaker.first_needed(arrival.resume_from + (preroll if came_back else 0))
    return ResumePoint(start, max(arrival.resume_from, start - preroll))


def preroll_frames(audio: AudioFormat, preroll_ms: int) -> int:
    """How many whole frames hold the pre-roll."""
    return -(-preroll_ms // audio.frame_ms)
