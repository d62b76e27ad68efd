"""The layout of NeMo's CTC exports."""

from pathlib import Path
from typing import Final

from cortex_testkit.tiny_models.graph import FLOAT, INT64, Graph
from cortex_testkit.tiny_models.vocabulary import PIECES, write_vocabulary

FEATURES: Final = 80
SUBSAMPLING: Final = 8


def nemo_conformer_ctc(directory: Path, seed: int = 1) -> None:
    """Fill the directory with `model.onnx` and `vocab.txt` of a CTC model: one linear layer over every eighth frame."""
    graph = Graph(seed)
    signal = graph.takes("audio_signal", FLOAT, ["batch", FEATURES, "length_in"])
    graph.takes("length", INT64, ["batch"])
    frames = graph.node("Transpose", graph.thinned(signal, SUBSAMPLING, axis=2), perm=[0, 2, 1])
    graph.node("LogSoftmax", graph.times(frames, FEATURES, len(PIECES)), to="logprobs", axis=-1)
    graph.gives("logprobs", FLOAT, ["batch", "length_out", len(PIECES)])
    graph.save(directory / "model.onnx")
    write_vocabulary(directory / "vocab.txt")
