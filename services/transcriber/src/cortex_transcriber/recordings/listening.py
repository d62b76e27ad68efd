"""Cuts one recording into utterances as a peer's stream is cut: the same frames, detector and settings."""

from dataclasses import replace
from typing import Final

import numpy as np

from cortex_transcriber.recordings.ports import OpenRecording, Recording
from cortex_transcriber.recordings.refusing import RecordingRefused, TooLong
from cortex_transcriber.speech.batching import VadBatcher
from cortex_transcriber.speech.decoding import Decoder, Pcm
from cortex_transcriber.speech.events import SegmentReady
from cortex_transcriber.speech.frames import AudioFormat
from cortex_transcriber.speech.recogniser import SAMPLE_RATE
from cortex_transcriber.speech.segmenting import Segmenting
from cortex_transcriber.speech.stream import SpeakerStream
from cortex_transcriber.speech.voice_detector import VoiceDetector

FRAME_MS: Final = 20
"""What voice servers send: a recording is cut where the stream of its speaker would have been."""

FORMAT: Final = AudioFormat(SAMPLE_RATE, FRAME_MS)


class Listener:
    """One recording. Its methods take time and are called on a thread, one at a time.

    Attributes:
        heard_s: seconds that were listened to.
        promised_s: seconds that the recording says it has; None when it does not say.
    """

    def __init__(
        self, open_recording: OpenRecording, detector: VoiceDetector, decoder: Decoder, settings: Segmenting
    ) -> None:
        self.heard_s = 0.0
        self.promised_s: float | None = None
        self._open = open_recording
        self._batcher = VadBatcher(detector)
        self._stream = SpeakerStream(FORMAT, decoder, replace(settings, interim_ms=0))
        self._recording: Recording | None = None
        self._rest = np.empty(0, dtype=np.int16)
        self._samples = 0

    def open(self, data: bytes, longest_s: int) -> None:
        """Begin.

        Raises:
            RecordingRefused: it is no recording that is taken, or says that it is too long.
        """
        self._longest_s = longest_s
        self._recording = self._open(data)
        self.promised_s = self._recording.promised_s
        self._require_short(self.promised_s or 0.0)

    def listen(self) -> list[SegmentReady] | None:
        """The utterances that end in the next piece; None after the last one.

        Raises:
            RecordingRefused: it is damaged, or too long after all.
        """
        if self._recording is None:
            return None
        pcm = self._recording.read()
        if pcm is None:
            return self._end()
        self._samples += len(pcm)
        self.heard_s = self._samples / SAMPLE_RATE
        self._require_short(self.heard_s)
        self._push(pcm)
        return self._utterances()

    def _end(self) -> list[SegmentReady]:
        self._recording = None
        if not self._samples:
            raise RecordingRefused("must hold audio: there is none in the file")
        self._push(np.zeros(-len(self._rest) % FORMAT.frame_samples, dtype=np.int16))
        self._stream.end()
        return self._utterances()

    def _push(self, pcm: Pcm) -> None:
        pcm = np.concatenate((self._rest, pcm))
        size = FORMAT.frame_samples
        whole = len(pcm) // size * size
        self._rest = pcm[whole:].copy()
        frames = [pcm[at : at + size].astype("<i2").tobytes() for at in range(0, whole, size)]
        if frames:
            self._stream.push(self._stream.next_sequence, frames)

    def _utterances(self) -> list[SegmentReady]:
        events = []
        while self._stream.ready:
            events += [event for _, event in self._batcher.listen([self._stream])]
        return [event for event in events if isinstance(event, SegmentReady)]

    def _require_short(self, seconds: float) -> None:
        if seconds > self._longest_s:
            raise TooLong(self._longest_s)
