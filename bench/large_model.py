"""A model of production size with random weights, in the layout of NeMo's CTC exports: what onnx-asr, and we, load.

Its sizes are those of Conformer-CTC Large: 18 blocks of width 512 with 8 heads, convolutions over 31 frames, 25 frames
for a second; 110 million parameters. Positions are absolute nowhere and relative nowhere, which saves it a few percent.
It says nonsense, as often as people say words, and the same nonsense about the same audio, alone or in a batch.
"""

import json
from pathlib import Path
from typing import Final

import numpy as np
from cortex_testkit.tiny_models.graph import ALL, FLOAT, INT64, Graph
from cortex_testkit.tiny_models.vocabulary import BLANK, write_vocabulary
from cortex_transcriber.adapters.model_directory import describe

NAME: Final = "random-conformer-large"
FAMILY: Final = "nemo-conformer-ctc"
FEATURES: Final = 80
SUBSAMPLING: Final = 4
BLOCKS: Final = 18
WIDTH: Final = 512
HEADS: Final = 8
WIDER: Final = 4 * WIDTH
KERNEL: Final = 31
PIECES: Final = 1_024
SURE: Final = 20.0
"""Deviation of the logits: as far apart, the likeliest piece has nearly all of the probability."""

SILENT: Final = 95.0
"""What speaks for the blank: so that about every eighth frame says something, three pieces a second."""

FAINT: Final = 0.1
"""Of what attention adds: it averages, and without the rest all frames of a random network become the same."""

FAR: Final = -1e9
"""Of attention to a frame that is padding."""


def build(directory: Path) -> int:
    """Fill the directory with the model and its manifest; how many parameters it has."""
    conformer = _Conformer()
    conformer.write(directory / "model.onnx")
    write_vocabulary(directory / "vocab.txt", [*(f"▁w{number}" for number in range(PIECES)), BLANK])
    (directory / "config.json").write_text(json.dumps({"subsampling_factor": SUBSAMPLING}))
    describe(directory, NAME, FAMILY, "en")
    return conformer.parameters


class _Conformer:
    def __init__(self) -> None:
        self.parameters = 0
        self._graph = Graph(seed=60)
        self._chance = np.random.default_rng(60)

    def write(self, path: Path) -> None:
        """The whole network."""
        graph = self._graph
        signal = graph.takes("audio_signal", FLOAT, ["batch", FEATURES, "length_in"])
        length = graph.takes("length", INT64, ["batch"])
        frames, mask = self._thinned(signal, length)
        apart = graph.node("Mul", graph.node("Sub", mask, self._number(1.0)), self._number(-FAR))
        apart = graph.node("Unsqueeze", graph.node("Transpose", apart, perm=[0, 2, 1]), graph.numbers(1))
        for _ in range(BLOCKS):
            frames = self._block(frames, mask, apart)
        bias = np.array([0.0] * PIECES + [SILENT], dtype=np.float32)
        logits = graph.node("Add", self._linear(frames, WIDTH, PIECES + 1, SURE), graph.constant(bias))
        graph.node("LogSoftmax", logits, to="logprobs", axis=-1)
        graph.gives("logprobs", FLOAT, ["batch", "length_out", PIECES + 1])
        graph.save(path)

    def _thinned(self, signal: str, length: str) -> tuple[str, str]:
        """Every fourth frame, [batch, frames, width], and 1 for each that is no padding, [batch, frames, 1]."""
        graph, width = self._graph, FEATURES
        for _ in range(2):
            weights = self._weights(WIDTH, width, 3, fan_in=3 * width)
            signal = graph.node("Conv", signal, weights, strides=[2], pads=[1, 1], kernel_shape=[3])
            signal, width = graph.node("Relu", signal), WIDTH
            length = graph.node(
                "Add",
                graph.node("Div", graph.node("Sub", length, graph.numbers(1)), graph.numbers(2)),
                graph.numbers(1),
            )
            mask = self._mask(signal, length)
            signal = graph.node("Mul", signal, mask)
        frames = graph.node("Transpose", signal, perm=[0, 2, 1])
        return frames, graph.node("Transpose", mask, perm=[0, 2, 1])

    def _mask(self, signal: str, length: str) -> str:
        """[batch, 1, frames]."""
        graph = self._graph
        zero, one = (graph.constant(np.array(number, dtype=np.int64)) for number in (0, 1))
        count = graph.node("Squeeze", graph.node("Shape", signal, start=2, end=3), graph.numbers(0))
        place = graph.node("Unsqueeze", graph.node("Range", zero, count, one), graph.numbers(0))
        there = graph.node("Less", place, graph.node("Unsqueeze", length, graph.numbers(1)))
        return graph.cast(graph.node("Unsqueeze", there, graph.numbers(1)), FLOAT)

    def _block(self, frames: str, mask: str, apart: str) -> str:
        graph = self._graph
        frames = graph.node("Add", frames, self._forward(frames))
        frames = graph.node("Add", frames, self._attention(graph.normal(frames, WIDTH), apart))
        frames = graph.node("Add", frames, self._convolution(graph.normal(frames, WIDTH), mask))
        return graph.normal(graph.node("Add", frames, self._forward(frames)), WIDTH)

    def _forward(self, frames: str) -> str:
        graph = self._graph
        wide = self._swish(self._linear(graph.normal(frames, WIDTH), WIDTH, WIDER))
        return graph.node("Mul", self._linear(wide, WIDER, WIDTH), self._number(0.5))

    def _attention(self, frames: str, apart: str) -> str:
        graph = self._graph
        parts = []
        for scale in (1 / (WIDTH // HEADS) ** 0.5, 1.0, 1.0):
            heads = graph.node("Reshape", self._linear(frames, WIDTH, WIDTH, scale), graph.numbers(0, 0, HEADS, -1))
            parts.append(heads)
        query, value = (graph.node("Transpose", heads, perm=[0, 2, 1, 3]) for heads in (parts[0], parts[2]))
        key = graph.node("Transpose", parts[1], perm=[0, 2, 3, 1])
        scores = graph.node("Add", graph.node("MatMul", query, key), apart)
        seen = graph.node("MatMul", graph.node("Softmax", scores, axis=-1), value)
        rows = graph.node("Reshape", graph.node("Transpose", seen, perm=[0, 2, 1, 3]), graph.numbers(0, 0, WIDTH))
        return self._linear(rows, WIDTH, WIDTH, FAINT)

    def _convolution(self, frames: str, mask: str) -> str:
        graph = self._graph
        both = self._linear(frames, WIDTH, 2 * WIDTH)
        content, gate = (
            graph.node("Slice", both, graph.numbers(start), graph.numbers(end), graph.numbers(2))
            for start, end in ((0, WIDTH), (WIDTH, ALL))
        )
        gated = graph.node("Mul", graph.node("Mul", content, graph.node("Sigmoid", gate)), mask)
        rows = graph.node("Transpose", gated, perm=[0, 2, 1])
        weights = self._weights(WIDTH, 1, KERNEL, fan_in=KERNEL)
        side = KERNEL // 2
        near = graph.node("Conv", rows, weights, group=WIDTH, pads=[side, side], kernel_shape=[KERNEL])
        return self._linear(self._swish(graph.node("Transpose", near, perm=[0, 2, 1])), WIDTH, WIDTH)

    def _swish(self, values: str) -> str:
        return self._graph.node("Mul", values, self._graph.node("Sigmoid", values))

    def _linear(self, frames: str, width: int, to: int, scale: float = 1.0) -> str:
        return self._graph.node("MatMul", frames, self._weights(width, to, fan_in=width, scale=scale))

    def _weights(self, *shape: int, fan_in: int, scale: float = 1.0) -> str:
        """So large that what comes out is about as large as what went in."""
        values = self._chance.standard_normal(shape, dtype=np.float32)
        self.parameters += values.size
        return self._graph.constant(values * np.float32(scale / fan_in**0.5))

    def _number(self, value: float) -> str:
        return self._graph.constant(np.array(value, dtype=np.float32))
