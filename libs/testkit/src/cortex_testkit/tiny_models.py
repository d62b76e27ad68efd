"""Models of random weights in the layouts of real families: a few kilobytes that load and run like the real ones."""

from pathlib import Path
from typing import Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FEATURES: Final = 80
SUBSAMPLING: Final = 8
VOCABULARY: Final = ("▁a", "▁b", "c", "d", "<blk>")
OPSET: Final = 17
IR_VERSION: Final = 9


def nemo_conformer_ctc(directory: Path, seed: int = 1) -> None:
    """Fill the directory with `model.onnx` and `vocab.txt` of a CTC model: one linear layer over every eighth frame."""
    weights = np.random.default_rng(seed).normal(size=(FEATURES, len(VOCABULARY))).astype(np.float32)
    nodes = [
        helper.make_node("Slice", ["audio_signal", "starts", "ends", "axes", "steps"], ["thinned"]),
        helper.make_node("Transpose", ["thinned"], ["frames"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["frames", "weights"], ["logits"]),
        helper.make_node("LogSoftmax", ["logits"], ["logprobs"], axis=-1),
    ]
    constants = {"starts": [0], "ends": [np.iinfo(np.int64).max], "axes": [2], "steps": [SUBSAMPLING]}
    initializers = [numpy_helper.from_array(np.array(value, np.int64), name) for name, value in constants.items()]
    graph = helper.make_graph(
        nodes,
        "tiny-ctc",
        [
            helper.make_tensor_value_info("audio_signal", TensorProto.FLOAT, ["batch", FEATURES, "length_in"]),
            helper.make_tensor_value_info("length", TensorProto.INT64, ["batch"]),
        ],
        [helper.make_tensor_value_info("logprobs", TensorProto.FLOAT, ["batch", "length_out", len(VOCABULARY)])],
        [*initializers, numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    onnx.save(model, directory / "model.onnx")
    (directory / "vocab.txt").write_text("".join(f"{token} {index}\n" for index, token in enumerate(VOCABULARY)))
