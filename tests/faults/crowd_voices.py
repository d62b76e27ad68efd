"""What the crowd says, in every format that a peer may send: the demo's voices with words that a machine can count."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import soxr
from cortex_client.demo.meeting import FRAME_MS, MeetingSpeaker, load
from cortex_transcriber.adapters.scripted_recogniser import mark
from cortex_transcriber.adapters.scripted_tones import sung
from cortex_transcriber.speech.decoding import Pcm
from cortex_transcriber.speech.frames import AudioFormat, Encoding
from cortex_transcriber.speech.recogniser import SAMPLE_RATE

from services.transcriber.tests.formats import payloads_of

SECONDS = 21
"""Of the meeting: two of its voices have had two turns by then."""

EXACT = AudioFormat(SAMPLE_RATE, FRAME_MS)
"""Neither resampled nor coded, so that a stream that is resumed is cut as if it had not been broken."""

CONVERTED = (
    AudioFormat(8_000, FRAME_MS),
    AudioFormat(8_000, FRAME_MS, Encoding.MULAW),
    AudioFormat(8_000, FRAME_MS, Encoding.ALAW, channels=2),
    AudioFormat(44_100, FRAME_MS, channels=2),
    AudioFormat(48_000, FRAME_MS, Encoding.PCM_F32LE),
    AudioFormat(48_000, FRAME_MS, Encoding.OPUS),
)

Frames = Sequence[bytes | None]
"""By sequence number; None while nobody spoke."""


@dataclass(frozen=True)
class Kind:
    """Peers of one kind send the same audio in the same format, and say the same.

    Attributes:
        voice: whose turn in the meeting it is, from 0 to 2.
        scripted: whether the audio holds words for the scripted recogniser.
    """

    voice: int
    audio: AudioFormat
    scripted: bool

    @property
    def exact(self) -> bool:
        """Whether its cuts repeat to the frame."""
        return self.audio == EXACT


def kinds(scripted: bool) -> Sequence[Kind]:
    """All of them: every voice at 16 kHz, and every other format in some voice."""
    exact = [Kind(voice, EXACT, scripted) for voice in range(3)]
    return [*exact, *(Kind(at % 3, audio, scripted) for at, audio in enumerate(CONVERTED))]


def kind_of(number: int, scripted: bool) -> Kind:
    """Of a peer with a number: as many are exact as are not."""
    exact, converted = kinds(scripted)[:3], kinds(scripted)[3:]
    among = converted if number % 2 else exact
    return among[number // 2 % len(among)]


def frames_of(kind: Kind, number: int) -> Frames:
    """What a peer sends; where frames can be marked, they bear its number."""
    if kind.exact and kind.scripted:
        return _framed(mark(_voice(kind.voice), kind.audio.frame_samples, number), kind)
    return _converted(kind)


@cache
def words_of(kind: Kind) -> Sequence[str]:
    """The words that are laid under what is said."""
    return sung(_voice(kind.voice))[1]


@cache
def _converted(kind: Kind) -> Frames:
    pcm = _voice(kind.voice)
    return _framed(sung(pcm)[0] if kind.scripted else pcm, kind)


def _framed(pcm: Pcm, kind: Kind) -> Frames:
    payloads = payloads_of(pcm, SAMPLE_RATE, kind.audio)
    return [
        None if gate is None else payload
        for gate, payload in zip(_speaker(kind.voice).frames[: len(payloads)], payloads, strict=True)
    ]


@cache
def _voice(voice: int) -> Pcm:
    """At 16 kHz; nothing where the voice server's gate is closed."""
    speaker = _speaker(voice)
    pcm = np.frombuffer(speaker.pcm, dtype="<i2")
    if speaker.sample_rate != SAMPLE_RATE:
        pcm = soxr.resample(pcm, speaker.sample_rate, SAMPLE_RATE)
    size = SAMPLE_RATE * FRAME_MS // 1_000
    is_open = [frame is not None for frame in speaker.frames[: SECONDS * 1_000 // FRAME_MS]]
    gated: Pcm = pcm[: len(is_open) * size] * np.repeat(is_open, size)
    return gated.astype(np.int16)


@cache
def _speaker(voice: int) -> MeetingSpeaker:
    return load().speakers[voice]
