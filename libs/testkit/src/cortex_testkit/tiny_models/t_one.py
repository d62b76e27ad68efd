"""The layout of T-one: 8 kHz in chunks of 300 ms, with a state from one chunk to the next."""

import json
from pathlib import Path
from typing import Final

import numpy as np

from cortex_testkit.tiny_models.graph import FLOAT, HALF, INT32, Graph

CHUNK: Final = 2_400
FRAMES: Final = 10
"""Of a chunk: 30 ms each."""

STATE: Final = 4
LETTERS: Final = (" ", "a", "b", "c", "d")
LOUDEST: Final = 32_767.0


def t_one_ctc(directory: Path) -> None:
    """Fill the directory with `model.onnx` and a `config.json` that holds the letters."""
    graph, answers = Graph(seed=13), len(LETTERS) + 1
    signal = graph.takes("signal", INT32, ["batch", CHUNK, 1])
    state = graph.cast(graph.takes("state", HALF, ["batch", STATE]), FLOAT)
    samples = graph.node("Div", graph.cast(signal, FLOAT), graph.constant(np.array(LOUDEST, dtype=np.float32)))
    frames = graph.node("Reshape", samples, graph.numbers(-1, FRAMES, CHUNK // FRAMES))
    frames = graph.normal(frames, CHUNK // FRAMES)
    before = graph.node("Unsqueeze", graph.times(state, STATE, answers), graph.numbers(1))
    answer = graph.node("Add", graph.times(frames, CHUNK // FRAMES, answers), before)
    graph.node("LogSoftmax", answer, to="logprobs", axis=-1)
    loudness = graph.times(graph.node("ReduceMean", frames, axes=[1], keepdims=0), CHUNK // FRAMES, STATE)
    graph.cast(graph.node("Tanh", graph.node("Add", loudness, state)), HALF, to="state_next")
    graph.gives("logprobs", FLOAT, ["batch", FRAMES, answers])
    graph.gives("state_next", HALF, ["batch", STATE])
    graph.save(directory / "model.onnx")
    (directory / "config.json").write_text(json.dumps(_config()))


def _config() -> dict[str, object]:
    return {
        "decoder_params": {"vocabulary": LETTERS},
        "encoder_params": {"reduction_kernel_size": 3},
        "pad_token_id": len(LETTERS),
    }
