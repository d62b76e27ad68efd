"""One ONNX file in the making."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET: Final = 17
IR_VERSION: Final = 9
"""What the exports of these families use, and every onnxruntime of the last years loads."""

FLOAT, HALF, INT32, INT64, BOOL = (
    TensorProto.FLOAT,
    TensorProto.FLOAT16,
    TensorProto.INT32,
    TensorProto.INT64,
    TensorProto.BOOL,
)
Shape = Sequence[int | str]

ALL: Final = int(np.iinfo(np.int64).max)
"""End of a slice that goes as far as there is anything."""


class Graph:
    """Nodes, named tensors in and out, and weights that follow from the seed."""

    def __init__(self, seed: int) -> None:
        self._chance = np.random.default_rng(seed)
        self._nodes: list[onnx.NodeProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._constants: list[onnx.TensorProto] = []

    def takes(self, name: str, kind: int, shape: Shape) -> str:
        """An input."""
        self._inputs.append(helper.make_tensor_value_info(name, kind, list(shape)))
        return name

    def gives(self, name: str, kind: int, shape: Shape) -> None:
        """An output; some node must make it."""
        self._outputs.append(helper.make_tensor_value_info(name, kind, list(shape)))

    def weights(self, *shape: int) -> str:
        """Random ones."""
        return self.constant(self._chance.normal(size=shape).astype(np.float32))

    def numbers(self, *values: int) -> str:
        """One dimension of whole numbers, as shapes, axes and ends of slices are given."""
        return self.constant(np.array(values, dtype=np.int64))

    def constant(self, value: npt.NDArray[Any]) -> str:
        """Any tensor."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(value, name))
        return name

    def node(
        self, operator: str, *inputs: str, to: str = "", **attributes: str | float | list[int] | onnx.GraphProto
    ) -> str:
        """An operator with one output, which is called `to` or anyhow."""
        node = helper.make_node(operator, list(inputs), [to or f"value_{len(self._nodes)}"])
        node.attribute.extend(helper.make_attribute(key, value) for key, value in sorted(attributes.items()))
        return self._add(node)

    def cast(self, value: str, kind: int, to: str = "") -> str:
        """The same numbers in another type."""
        return self._add(helper.make_node("Cast", [value], [to or f"value_{len(self._nodes)}"], to=kind))

    def embedded(self, ids: str, count: int, width: int) -> str:
        """A random vector for each id."""
        return self.node("Gather", self.weights(count, width), ids)

    def thinned(self, frames: str, every: int, axis: int) -> str:
        """Every so many frames, as a subsampling encoder leaves them."""
        return self.node("Slice", frames, self.numbers(0), self.numbers(ALL), self.numbers(axis), self.numbers(every))

    def normal(self, frames: str, width: int) -> str:
        """Each vector along the last axis with mean 0 and deviation 1, so that random weights say several things."""
        scale = self.constant(np.ones(width, dtype=np.float32))
        return self.node("LayerNormalization", frames, scale, axis=-1)

    def times(self, vectors: str, *shape: int) -> str:
        """Through random weights."""
        return self.node("MatMul", vectors, self.weights(*shape))

    def lengths_of(self, lengths: str, every: int, to: str, kind: int = INT64) -> str:
        """How many frames `thinned` leaves of so many."""
        before = self.node("Sub", lengths, self.numbers(1))
        after = self.node("Add", self.node("Div", before, self.numbers(every)), self.numbers(1))
        return self.cast(after, kind, to)

    def save(self, path: Path) -> None:
        """Check and write it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        graph = helper.make_graph(self._nodes, "tiny", self._inputs, self._outputs, self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, path)

    def _add(self, node: onnx.NodeProto) -> str:
        self._nodes.append(node)
        return str(node.output[0])
