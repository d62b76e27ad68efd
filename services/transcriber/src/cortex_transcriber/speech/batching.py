"""Listens to many speakers at once: one call of the voice detector for what each of them has."""

from collections.abc import Iterable
from typing import Final

import numpy as np

from cortex_transcriber.speech.events import Event
from cortex_transcriber.speech.segmenting import LONGEST_SILENCE
from cortex_transcriber.speech.stream import MOST_AT_ONCE, SpeakerStream
from cortex_transcriber.speech.voice_detector import CHUNK, CONTEXT, STATE, VoiceDetector, after_silence

LARGEST_BATCH: Final = 64
"""Chunks in one call; beyond it a chunk becomes no cheaper (13 microseconds)."""

CHUNKS_A_TURN: Final = 256
"""Chunks judged before other work gets its turn: about 5 ms of the event loop."""

Batch = list[tuple[SpeakerStream, int]]


class VadBatcher:
    """Runs the voice detector for all streams of a process."""

    def __init__(self, detector: VoiceDetector) -> None:
        self._detector = detector
        self._rows = np.zeros((LARGEST_BATCH, CONTEXT + CHUNK), dtype=np.int16)
        self._after_silence = after_silence(detector, LONGEST_SILENCE)
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
            batch, looked_at = self._gather(waiting, heard)
            if batch:
                self._judge(batch, heard)
            chunks -= sum(count for _, count in batch)
            # Whoever was served goes to the end, so that a long backlog of one delays nobody.
            waiting = waiting[looked_at:] + [stream for stream, _ in batch if stream.ready]
        return heard

    def _gather(self, streams: list[SpeakerStream], heard: list[tuple[SpeakerStream, Event]]) -> tuple[Batch, int]:
        """Write the chunks of the first streams into the rows of the batch, their states beside.

        Returns:
            Who has how many chunks in the batch, and at how many streams was looked.
        """
        batch: Batch = []
        used = 0
        for looked_at, stream in enumerate(streams):
            if used == LARGEST_BATCH:
                return batch, looked_at
            if count := stream.next_chunks(self._rows[used : used + MOST_AT_ONCE]):
                self._states[:, len(batch)] = stream.state(self._after_silence)
                batch.append((stream, count))
                used += count
            else:
                heard.extend((stream, event) for event in stream.take_events())
        return batch, len(streams)

    def _judge(self, batch: Batch, heard: list[tuple[SpeakerStream, Event]]) -> None:
        lengths = [count for _, count in batch]
        rows = self._rows[: sum(lengths)]
        probabilities, states = self._detector.probabilities(rows, lengths, self._states[:, : len(batch)])
        judged = probabilities.tolist()
        first = 0
        for index, (stream, count) in enumerate(batch):
            stream.judged(judged[first : first + count], states[:, index])
            heard.extend((stream, event) for event in stream.take_events())
            first += count
