"""The layouts of GigaAM's exports; files are named by version."""

import json
from pathlib import Path
from typing import Final

from cortex_testkit.tiny_models.graph import FLOAT, INT32, INT64, Graph
from cortex_testkit.tiny_models.vocabulary import PIECES, write_vocabulary

FEATURES: Final = 64
SUBSAMPLING: Final = 4
WIDTH: Final = 6
STATE: Final = 320
"""Of the decoder: the loader knows the width by heart."""


def gigaam_ctc(directory: Path, model: str, vocabulary: str) -> None:
    """Fill the directory with a CTC model of these file names."""
    graph = Graph(seed=6)
    features = graph.takes("features", FLOAT, ["batch", FEATURES, "length_in"])
    graph.takes("feature_lengths", INT64, ["batch"])
    frames = graph.times(_frames(graph, features), FEATURES, len(PIECES))
    graph.node("LogSoftmax", frames, to="log_probs", axis=-1)
    graph.gives("log_probs", FLOAT, ["batch", "length_out", len(PIECES)])
    graph.save(directory / f"{model}.onnx")
    _describe(directory, model, vocabulary)


def gigaam_rnnt(directory: Path, model: str, vocabulary: str) -> None:
    """Fill the directory with a transducer of these file names: encoder, decoder and joint network."""
    _encoder(directory / f"{model}_encoder.onnx")
    _decoder(directory / f"{model}_decoder.onnx")
    _joint(directory / f"{model}_joint.onnx")
    _describe(directory, model, vocabulary)


def _describe(directory: Path, model: str, vocabulary: str) -> None:
    version = "v2" if model.startswith("v2") else "v3"
    (directory / "config.json").write_text(json.dumps({"version": version, "subsampling_factor": SUBSAMPLING}))
    write_vocabulary(directory / f"{vocabulary}.txt")


def _frames(graph: Graph, features: str) -> str:
    thinned = graph.node("Transpose", graph.thinned(features, SUBSAMPLING, axis=2), perm=[0, 2, 1])
    return graph.normal(thinned, FEATURES)


def _encoder(path: Path) -> None:
    graph = Graph(seed=7)
    signal = graph.takes("audio_signal", FLOAT, ["batch", FEATURES, "length_in"])
    lengths = graph.takes("length", INT64, ["batch"])
    frames = graph.times(_frames(graph, signal), FEATURES, WIDTH)
    graph.node("Transpose", frames, to="encoded", perm=[0, 2, 1])
    graph.lengths_of(lengths, SUBSAMPLING, "encoded_len", INT32)
    graph.gives("encoded", FLOAT, ["batch", WIDTH, "length_out"])
    graph.gives("encoded_len", INT32, ["batch"])
    graph.save(path)


def _decoder(path: Path) -> None:
    graph = Graph(seed=8)
    token = graph.takes("x", INT32, [1, 1])
    hidden, cell = (graph.takes(name, FLOAT, [1, 1, STATE]) for name in ("h.1", "c.1"))
    word = graph.embedded(token, len(PIECES), STATE)
    graph.node("Tanh", graph.node("Add", word, hidden), to="h")
    graph.node("Tanh", graph.node("Add", word, cell), to="c")
    graph.node("Identity", "h", to="dec")
    for name in ("dec", "h", "c"):
        graph.gives(name, FLOAT, [1, 1, STATE])
    graph.save(path)


def _joint(path: Path) -> None:
    graph = Graph(seed=9)
    heard = graph.node("Transpose", graph.takes("enc", FLOAT, ["batch", WIDTH, "time"]), perm=[0, 2, 1])
    said = graph.node("Transpose", graph.takes("dec", FLOAT, ["batch", STATE, "tokens"]), perm=[0, 2, 1])
    said = graph.normal(graph.times(said, STATE, WIDTH), WIDTH)
    answer = graph.times(graph.node("Add", heard, said), WIDTH, len(PIECES))
    graph.node("Unsqueeze", answer, graph.numbers(1), to="joint")
    graph.gives("joint", FLOAT, ["batch", 1, "time", len(PIECES)])
    graph.save(path)
