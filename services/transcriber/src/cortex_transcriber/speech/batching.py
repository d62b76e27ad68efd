"""Listens to many speakers at once: one call of the voice detector for a chunk of each."""

from collections.abc import Iterable
from typing import Final

import numpy as np

from cortex_transcriber.speech.events import Event
from cortex_transcriber.speech.stream import SpeakerStream
from cortex_transcriber.speech.voice_detector import CHUNK, CONTEXT, STATE, VoiceDetector

LARGEST_BATCH: Final = 64
"""Streams in one call; beyond it a chunk becomes no cheaper (53 microseconds)."""

CHUNKS_A_TURN: Final = 128
"""Chunks judged before other work gets its turn: about 7 ms of the event loop."""


class VadBatcher:
    """Runs the voice detector for all streams of a process."""

    def __init__(self, detector: VoiceDetector) -> None:
        self._detector = detector
        self._rows = np.zeros((LARGEST_BATCH, CONTEXT + CHUNK), dtype=np.float32)
        self._states = np.zeros((STATE[0], LARGEST_BATCH, STATE[1]), dtype=np.float32)

    def listen(
        self, streams: Iterable[SpeakerStream], chunks: int = CHUNKS_A_TURN
    ) -> list[tuple[SpeakerStream, Event]]:
        """Judge what is ready, at most so many chunks; whoever is still `ready` wants another turn.

        Returns:
            The events of each stream in their order.
        """
        waiting = list(streams)
        heard: list[tuple[SpeakerStream, Event]] = []
        while waiting and chunks > 0:
            batch = self._gather(waiting[:LARGEST_BATCH], heard)
            if batch:
                self._judge(batch, heard)
            chunks -= max(1, len(batch))
            # Whoever was served goes to the end, so that a long backlog of one delays nobody.
            waiting = waiting[LARGEST_BATCH:] + batch
        return heard

    def _gather(self, streams: list[SpeakerStream], heard: list[tuple[SpeakerStream, Event]]) -> list[SpeakerStream]:
        """The streams that have a chunk to be judged; it and their states stand in the rows of the batch."""
        batch: list[SpeakerStream] = []
        for stream in streams:
            if stream.next_chunk(self._rows[len(batch)]):
                self._states[:, len(batch)] = stream.state
                batch.append(stream)
            else:
                heard.extend((stream, event) for event in stream.take_events())
        return batch

    def _judge(self, batch: list[SpeakerStream], heard: list[tuple[SpeakerStream, Event]]) -> None:
        count = len(batch)
        probabilities, states = self._detector.probabilities(self._rows[:count], self._states[:, :count])
        for index, stream in enumerate(batch):
            stream.judged(float(probabilities[index]), states[:, index])
            heard.extend((stream, event) for event in stream.take_events())
