import numpy as np
import pytest
from cortex_transcriber.adapters.silero import SileroDetector
from cortex_transcriber.speech.batching import VadBatcher
from cortex_transcriber.speech.voice_detector import CHUNK, CONTEXT, no_memory

from services.transcriber.tests.hearing import Room

pytestmark = pytest.mark.unit


def test_a_stream_does_not_depend_on_its_neighbours(silero: SileroDetector) -> None:
    """Probabilities and states are equal to the bit, alone and in a batch."""
    random = np.random.default_rng(2)
    chunks = random.normal(scale=0.2, size=(20, CONTEXT + CHUNK)).astype(np.float32)
    states = np.repeat(no_memory()[:, np.newaxis], 20, axis=1)
    together, after = silero.probabilities(chunks, states)
    for index in range(20):
        alone, state = silero.probabilities(chunks[index : index + 1], states[:, :1])
        assert alone[0] == together[index]
        assert np.array_equal(state[:, 0], after[:, index])


def test_silence_never_reaches_the_detector(room: Room) -> None:
    """What is too quiet to be speech is passed over without a call."""

    class Never:
        def probabilities(self, chunks: np.ndarray, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            raise AssertionError(f"asked about {len(chunks)} chunks, {states.shape}")

    stream = room.speaker()
    hiss = np.random.default_rng(1).normal(scale=10, size=10 * 16_000).astype(np.int16)
    events = room.hear(stream, room.payloads(hiss, stream), Never())
    assert room.quiet(events)[-1] == 499


def test_a_batch_serves_every_stream(room: Room, silero: SileroDetector) -> None:
    """More streams than fit into a call, with backlogs of different lengths, are all heard to the end."""
    noise = np.random.default_rng(4).normal(scale=3_000, size=32_000).astype(np.int16)
    streams = [room.speaker() for _ in range(70)]
    for index, stream in enumerate(streams):
        stream.push(0, room.payloads(noise[: 640 * (1 + index % 5)], stream))
    batcher = VadBatcher(silero)
    while waiting := [stream for stream in streams if stream.ready]:
        batcher.listen(waiting)
    assert {stream.ready for stream in streams} == {False}
