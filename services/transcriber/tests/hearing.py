"""How the transcriber's tests make streams and listen to them."""

import re
import wave
from collections.abc import Iterable, Sequence
from pathlib import Path

import jiwer
import numpy as np
from cortex_transcriber.adapters.decoders import new_decoder
from cortex_transcriber.speech.batching import VadBatcher
from cortex_transcriber.speech.decoding import FULL_SCALE, Pcm
from cortex_transcriber.speech.events import Event, QuietThrough, SegmentReady
from cortex_transcriber.speech.frames import AudioFormat
from cortex_transcriber.speech.recogniser import SAMPLE_RATE
from cortex_transcriber.speech.segmenting import Segmenting
from cortex_transcriber.speech.stream import SpeakerStream
from cortex_transcriber.speech.voice_detector import CONTEXT, Floats, VoiceDetector


class LoudnessDetector:
    """Stands in for the voice detector where cuts must be computable: loud is speech, with a memory that fades.

    The memory makes it matter where it starts from zero, as with the real one.
    """

    def probabilities(self, chunks: Pcm, lengths: Sequence[int], states: Floats) -> tuple[Floats, Floats]:
        """How loud each chunk and the ones before it were."""
        loudness = np.minimum(1, 20 / FULL_SCALE * np.abs(chunks[:, CONTEXT:].astype(np.float32)).mean(axis=1))
        found, states = np.empty(len(chunks), dtype=np.float32), states.copy()
        at = 0
        for stream, length in enumerate(lengths):
            for chunk in range(at, at + length):
                states[0, stream, 0] = 0.3 * states[0, stream, 0] + 0.7 * loudness[chunk]
                found[chunk] = states[0, stream, 0]
            at += length
        return found, states


class Room:
    """Makes streams and listens to them, as the service does."""

    def __init__(self) -> None:
        self._loudness = LoudnessDetector()
        self._batchers: dict[VoiceDetector, VadBatcher] = {}

    def speaker(
        self,
        sample_rate: int = SAMPLE_RATE,
        frame_ms: int = 20,
        settings: Segmenting | None = None,
        start: int = 0,
        heard_through: int | None = None,
    ) -> SpeakerStream:
        """A peer that joined."""
        return self.speaker_in(AudioFormat(sample_rate, frame_ms), settings, start, heard_through)

    def speaker_in(
        self,
        audio: AudioFormat,
        settings: Segmenting | None = None,
        start: int = 0,
        heard_through: int | None = None,
    ) -> SpeakerStream:
        """A peer that joined with any format."""
        return SpeakerStream(audio, new_decoder(audio), settings or Segmenting(), start, heard_through)

    def payloads(self, pcm: Pcm, stream: SpeakerStream) -> list[bytes]:
        """Whole frames of a recording; a rest shorter than a frame is left out."""
        size = stream.audio.frame_bytes
        data = pcm.astype("<i2").tobytes()
        return [data[at : at + size] for at in range(0, len(data) - size + 1, size)]

    def listen(self, stream: SpeakerStream, detector: VoiceDetector | None = None) -> list[Event]:
        """Everything that can be heard so far."""
        detector = detector or self._loudness
        batcher = self._batchers.get(detector) or self._batchers.setdefault(detector, VadBatcher(detector))
        events: list[Event] = []
        while stream.ready:
            events += [event for _, event in batcher.listen([stream])]
        return events

    def hear(
        self, stream: SpeakerStream, payloads: list[bytes], detector: VoiceDetector | None = None, at_once: int = 5
    ) -> list[Event]:
        """Frames from the next sequence number on, some at once, to the end."""
        events: list[Event] = []
        first = stream.next_sequence
        for at in range(0, len(payloads), at_once):
            stream.push(first + at, payloads[at : at + at_once])
            events += self.listen(stream, detector)
        stream.end()
        return events + self.listen(stream, detector)

    def cuts(self, events: Iterable[Event]) -> list[tuple[int, int]]:
        """First and last sequence of each segment."""
        return [(event.first_sequence, event.last_sequence) for event in events if isinstance(event, SegmentReady)]

    def quiet(self, events: Iterable[Event]) -> list[int]:
        """Up to where silence was told."""
        return [event.sequence for event in events if isinstance(event, QuietThrough)]


def read_wav(path: Path) -> tuple[int, Pcm]:
    """Rate and samples of a mono recording."""
    with wave.open(str(path)) as recording:
        return recording.getframerate(), np.frombuffer(recording.readframes(recording.getnframes()), dtype="<i2")


def words(text: str) -> list[str]:
    """Words as they are compared: lower case, without punctuation."""
    return re.findall(r"[a-z]+(?:'[a-z]+)*", text.lower().replace("-", ""))


def word_error_rate(reference: str, heard: str) -> float:
    """Wrong, missing and additional words as a share of the reference's."""
    return float(jiwer.wer(" ".join(words(reference)), " ".join(words(heard)) or "-"))
