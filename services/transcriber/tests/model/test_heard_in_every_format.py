"""Speech is understood as well in every format that a peer may send as in PCM at 16 kHz."""

import random
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pytest
from cortex_transcriber.speech.decoding import Pcm
from cortex_transcriber.speech.events import SegmentReady
from cortex_transcriber.speech.frames import AudioFormat, Encoding
from cortex_transcriber.speech.recogniser import Recogniser
from cortex_transcriber.speech.voice_detector import VoiceDetector

from services.transcriber.tests.formats import payloads_of
from services.transcriber.tests.hearing import Room, read_wav, word_error_rate

pytestmark = pytest.mark.model

READ = """It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness,
    it was the epoch of belief, it was the epoch of incredulity, it was the season of light, it was the season of
    darkness, it was the spring of hope, it was the winter of despair, we had everything before us, we had nothing
    before us."""
READ_S = 24.3
"""Seconds of the recording that these words take."""

CLOSE = 0.05
"""Words in a hundred that a format may cost beyond PCM at 16 kHz: three of the 70 that are read."""

FORMATS = [
    AudioFormat(8_000, 20),
    AudioFormat(24_000, 10),
    AudioFormat(44_100, 10, Encoding.PCM_F32LE, channels=2),
    AudioFormat(48_000, 100, Encoding.PCM_F32LE),
    AudioFormat(8_000, 20, Encoding.MULAW),
    AudioFormat(8_000, 30, Encoding.ALAW),
    AudioFormat(48_000, 20, Encoding.OPUS),
    AudioFormat(48_000, 60, Encoding.OPUS, channels=2),
]


@dataclass(frozen=True)
class Listener:
    """Hears a reading as the service does: cut by the real voice detector, each utterance by itself."""

    rate: int
    pcm: Pcm
    room: Room
    silero: VoiceDetector
    recogniser: Recogniser

    def errors(self, audio: AudioFormat, lost: Collection[int] = ()) -> float:
        """Word errors when it was sent in a format, without these frames."""
        stream = self.room.speaker_in(audio)
        for sequence, payload in enumerate(payloads_of(self.pcm, self.rate, audio)):
            if sequence not in lost:
                stream.push(sequence, [payload])
        stream.end()
        segments = [event for event in self.room.listen(stream, self.silero) if isinstance(event, SegmentReady)]
        return word_error_rate(READ, " ".join(self.recogniser.recognise(segment.samples).text for segment in segments))


@pytest.fixture(scope="module")
def listener(recordings: Path, room: Room, silero: VoiceDetector, recogniser: Recogniser) -> Listener:
    """Of the recording's first words."""
    rate, pcm = read_wav(recordings / "two_cities.wav")
    return Listener(rate, pcm[: int(READ_S * rate)], room, silero, recogniser)


@pytest.fixture(scope="module")
def plain(listener: Listener) -> float:
    """Word errors of PCM at 16 kHz."""
    return listener.errors(AudioFormat(16_000, 20))


@pytest.mark.parametrize("audio", FORMATS, ids=str)
def test_speech_is_understood_in_every_format(audio: AudioFormat, plain: float, listener: Listener) -> None:
    """Nobody has to convert anything for the sake of words."""
    assert plain <= 2 * CLOSE
    assert listener.errors(audio) <= plain + CLOSE


def test_speech_survives_the_loss_of_every_tenth_packet(plain: float, listener: Listener) -> None:
    """What the codec guesses is close enough: over ten draws 7.0 % of words are wrong, 10.3 % with silence instead."""
    chance = random.Random(5)  # noqa: S311 - hides nothing
    packets = int(READ_S * 50)
    lost = {packet for packet in range(packets) if chance.random() < 0.1}
    assert listener.errors(AudioFormat(48_000, 20, Encoding.OPUS), lost) <= plain + CLOSE
