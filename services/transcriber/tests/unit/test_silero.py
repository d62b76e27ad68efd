from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from cortex_transcriber.adapters import silero as silero_adapter
from cortex_transcriber.adapters.silero import (
    FILE,
    SileroDetector,
    WholeGraphDetector,
    difference,
    load_silero,
    silero_file,
)
from cortex_transcriber.speech.batching import LARGEST_BATCH, VadBatcher
from cortex_transcriber.speech.decoding import Pcm
from cortex_transcriber.speech.voice_detector import CHUNK, CONTEXT, Floats, VoiceDetector

from services.transcriber.tests.hearing import Room

pytestmark = pytest.mark.unit

LENGTHS = (3, 1, 4, 4, 2, 1, 3, 4)
FIRSTS = tuple(np.cumsum((0, *LENGTHS[:-1])).tolist())


@pytest.fixture
def chunks() -> Pcm:
    """Noise from silence to loud."""
    levels = np.logspace(0, 4, sum(LENGTHS))[:, np.newaxis]
    return (np.random.default_rng(2).normal(size=(sum(LENGTHS), CONTEXT + CHUNK)) * levels).astype(np.int16)


@pytest.fixture
def states() -> Floats:
    """What streams may remember."""
    return np.random.default_rng(3).normal(scale=0.5, size=(2, len(LENGTHS), 128)).astype(np.float32)


def test_the_wheel_s_network_is_used_rearranged(silero: VoiceDetector) -> None:
    """The pinned wheel's weights are known, and give the figures of its own graph."""
    assert isinstance(silero, SileroDetector)
    assert difference(silero, WholeGraphDetector(silero_file(FILE))) < 1e-5


@pytest.fixture(params=["rearranged", "whole"])
def detector(request: pytest.FixtureRequest, silero: VoiceDetector) -> VoiceDetector:
    """Both ways of running the network."""
    return silero if request.param == "rearranged" else WholeGraphDetector(silero_file(FILE))


def test_a_stream_does_not_depend_on_its_neighbours(detector: VoiceDetector, chunks: Pcm, states: Floats) -> None:
    """Probabilities and states are equal to the bit, alone and in a batch."""
    together, after = detector.probabilities(chunks, LENGTHS, states)
    for index, (first, length) in enumerate(zip(FIRSTS, LENGTHS, strict=True)):
        run = slice(first, first + length)
        alone, state = detector.probabilities(chunks[run], [length], states[:, index : index + 1])
        assert np.array_equal(alone, together[run])
        assert np.array_equal(state[:, 0], after[:, index])


def test_a_stream_does_not_depend_on_how_it_is_spread_over_calls(
    detector: VoiceDetector, chunks: Pcm, states: Floats
) -> None:
    """A run in one call is equal, to the bit, to a call for each of its chunks."""
    state = states[:, :1]
    together, after = detector.probabilities(chunks[:20], [20], state)
    for index in range(20):
        alone, state = detector.probabilities(chunks[index : index + 1], [1], state)
        assert alone[0] == together[index]
    assert np.array_equal(state, after)


@pytest.mark.parametrize("change", ["renamed", "reshaped", "retrained"])
def test_another_network_runs_as_it_is(
    change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunks: Pcm, states: Floats
) -> None:
    """A wheel whose file is no longer what we know to rearrange is used all the same, with its own graph."""
    model = onnx.load(silero_file(FILE))
    weight = next(item for item in model.graph.initializer if item.name.endswith("encoder.3.reparam_conv.bias"))
    if change == "renamed":
        _rename(model, weight.name, "model.encoder.last.bias")
    elif change == "reshaped":
        _swap(model, "encoder.3.reparam_conv")
    else:
        node = next(node for node in model.graph.node if node.op_type == "Sqrt")
        node.op_type = "Abs"
    path = tmp_path / FILE
    onnx.save(model, path)
    monkeypatch.setattr(silero_adapter, "silero_file", lambda _: path)
    detector = load_silero()
    assert isinstance(detector, WholeGraphDetector)
    found, _ = detector.probabilities(chunks, LENGTHS, states)
    assert ((found >= 0) & (found <= 1)).all()


def _rename(model: onnx.ModelProto, old: str, new: str) -> None:
    for item in model.graph.initializer:
        item.name = new if item.name == old else item.name
    for node in model.graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = new if name == old else name


def _swap(model: onnx.ModelProto, layer: str) -> None:
    """Give a layer a width of one: what lies beside a single frame is padding anyway."""
    for item in model.graph.initializer:
        if item.name.endswith(f"{layer}.weight"):
            item.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(item)[:, :, 1:2].copy(), item.name))
    node = next(node for node in model.graph.node if any(name.endswith(f"{layer}.weight") for name in node.input))
    for attribute in node.attribute:
        if attribute.name in {"kernel_shape", "pads"}:
            values = [1] if attribute.name == "kernel_shape" else [0, 0]
            attribute.ints[:] = values


def test_silence_never_reaches_the_detector(room: Room) -> None:
    """What is too quiet to be speech is passed over without a call."""

    class Deaf:
        """Knows what silence does to its memory, and nothing else."""

        def probabilities(self, chunks: Pcm, lengths: Sequence[int], states: Floats) -> tuple[Floats, Floats]:
            assert not chunks.any(), f"asked about {len(chunks)} chunks of {lengths}"
            return np.zeros(len(chunks), dtype=np.float32), states

    stream = room.speaker()
    hiss = np.random.default_rng(1).normal(scale=10, size=10 * 16_000).astype(np.int16)
    events = room.hear(stream, room.payloads(hiss, stream), Deaf())
    assert room.quiet(events)[-1] == 499


def test_a_batch_serves_every_stream(room: Room, silero: VoiceDetector) -> None:
    """More streams than fit into a call, with backlogs of different lengths, are all heard to the end."""
    noise = np.random.default_rng(4).normal(scale=3_000, size=32_000).astype(np.int16)
    streams = [room.speaker() for _ in range(LARGEST_BATCH + 6)]
    for index, stream in enumerate(streams):
        stream.push(0, room.payloads(noise[: 640 * (1 + index % 5)], stream))
    batcher = VadBatcher(silero)
    while waiting := [stream for stream in streams if stream.ready]:
        batcher.listen(waiting)
    assert {stream.ready for stream in streams} == {False}


def test_memory_goes_on_through_silence_that_was_passed_over(room: Room, silero: VoiceDetector) -> None:
    """After silence the detector is handed the state that it would have if it had heard the zeros."""
    asked: list[tuple[Pcm, Floats]] = []

    class Recording:
        def probabilities(self, chunks: Pcm, lengths: Sequence[int], states: Floats) -> tuple[Floats, Floats]:
            asked.append((chunks.copy(), states.copy()))
            return silero.probabilities(chunks, lengths, states)

    stream = room.speaker()
    pcm = np.zeros(16_000, dtype=np.int16)
    pcm[20 * CHUNK : 21 * CHUNK] = 3_000
    room.hear(stream, room.payloads(pcm, stream), Recording())
    _, expected = silero.probabilities(
        np.zeros((20, CONTEXT + CHUNK), dtype=np.int16), [20], np.zeros_like(asked[0][1])
    )
    state = next(states for chunks, states in asked if chunks.any())
    assert np.array_equal(state, expected)
