"""The conditions under which speech is measured, each as the frames that a bot would send."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from cortex_client.unacknowledged import LOST, Payload
from cortex_transcriber.speech.frames import AudioFormat, Encoding

from bench.conversations import RATE, Pcm
from scripts.speech import spoiling
from scripts.speech.voices import FRAME, Voice
from services.transcriber.tests.formats import opus_packets, payloads_of

FRAME_MS = 20
LOSS = 0.05
OPUS_BITS = 16_000
DRAWS = 3
"""How often everything that is drawn by lot is drawn: more words, so that one of them decides less."""

PCM = AudioFormat(RATE, FRAME_MS)
OPUS = AudioFormat(48_000, FRAME_MS, Encoding.OPUS)
MULAW = AudioFormat(8_000, FRAME_MS, Encoding.MULAW)
ALAW = AudioFormat(8_000, FRAME_MS, Encoding.ALAW)


@dataclass(frozen=True)
class Sent:
    """One speaker's track as it is sent: None is silence that is announced, `LOST` a frame that never arrives."""

    audio: AudioFormat
    frames: Sequence[Payload]


@dataclass(frozen=True)
class Case:
    """One voice, and all the others there are."""

    voice: Voice
    others: Sequence[Voice]
    random: np.random.Generator


@dataclass(frozen=True)
class Condition:
    """One row of the page.

    Attributes:
        name: in the page's words.
        spoil: what happens to the recording.
        audio: how it is sent.
        loss: share of the frames that never arrive.
        draws: how often it is measured.
        together: whether all voices of the source talk in one room at once.
    """

    name: str
    spoil: Callable[[Case], Pcm] = lambda case: case.voice.pcm
    audio: AudioFormat = PCM
    loss: float = 0.0
    draws: int = 1
    together: bool = False

    def sent(self, voice: Voice, others: Sequence[Voice], draw: int) -> Sent:
        """A voice's track; the same in every run."""
        random = np.random.default_rng([draw, zlib.crc32(f"{self.name} {voice.name}".encode())])
        pcm = self.spoil(Case(voice, others, random))
        packets = packed(pcm, self.audio)
        return Sent(self.audio, _lossy(_gated(packets, voice), self.loss, random))


def noisy(snr_db: float) -> Callable[[Case], Pcm]:
    """In white noise."""
    return lambda case: spoiling.with_noise(case.voice, spoiling.white(len(case.voice.pcm), case.random), snr_db)


def among_others(snr_db: float) -> Callable[[Case], Pcm]:
    """In babble."""
    return lambda case: spoiling.with_noise(
        case.voice, spoiling.babble(case.others, len(case.voice.pcm), case.random), snr_db
    )


def interrupted(case: Case) -> Pcm:
    """Another voice on the same track, equally loud and all the time."""
    talk = case.others[0].speech.astype(np.float64)
    other = np.resize(talk / np.sqrt(spoiling.power(talk)), len(case.voice.pcm))
    gain = np.sqrt(spoiling.power(case.voice.speech))
    return spoiling.fitted(case.voice.pcm + gain * other)


CLEAN = Condition("clean")
CONDITIONS = (
    CLEAN,
    Condition("white noise, 20 dB", noisy(20), draws=DRAWS),
    Condition("white noise, 10 dB", noisy(10), draws=DRAWS),
    Condition("babble, 20 dB", among_others(20), draws=DRAWS),
    Condition("babble, 10 dB", among_others(10), draws=DRAWS),
    Condition("room, RT60 0.5 s", lambda case: spoiling.in_a_room(case.voice, case.random), draws=DRAWS),
    Condition("Opus, 16 kbit/s", audio=OPUS),
    Condition("G.711 mu-law", audio=MULAW),
    Condition("G.711 A-law", audio=ALAW),
    Condition("5 % of frames lost", loss=LOSS, draws=DRAWS),
    Condition("Opus, 5 % lost", audio=OPUS, loss=LOSS, draws=DRAWS),
    Condition("all at once, a track each", together=True),
)
MIXED = Condition("two voices on one track", interrupted)
"""No input that is meant to work: it shows why bots send every speaker on a track of their own."""


def packed(pcm: Pcm, audio: AudioFormat) -> Sequence[bytes]:
    """A recording at 16 kHz in frames of a format."""
    if audio.encoding is not Encoding.OPUS:
        return payloads_of(pcm, RATE, audio)
    return opus_packets(np.asarray(spoiling.at_48_khz(pcm)), audio, b=str(OPUS_BITS))


def _gated(packets: Sequence[bytes], voice: Voice) -> list[Payload]:
    """Nothing but what the voice server's gate lets through."""
    if not voice.gated:
        return list(packets)
    is_open = [any(start <= at * FRAME < end for start, end in voice.spoken) for at in range(len(packets))]
    return [packet if opened else None for packet, opened in zip(packets, is_open, strict=True)]


def _lossy(frames: list[Payload], loss: float, random: np.random.Generator) -> list[Payload]:
    lost = random.random(len(frames)) < loss
    return [LOST if gone and frame is not None else frame for frame, gone in zip(frames, lost, strict=True)]
