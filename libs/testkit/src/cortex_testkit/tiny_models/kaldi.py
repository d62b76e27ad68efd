"""The layout of Kaldi's transducers, as Vosk ships them: the model in one folder, its words in another."""

from pathlib import Path
from typing import Final

import numpy as np

from cortex_testkit.tiny_models.graph import FLOAT, INT64, Graph
from cortex_testkit.tiny_models.vocabulary import PIECES, write_vocabulary

FEATURES: Final = 80
SUBSAMPLING: Final = 4
WIDTH: Final = 6
CONTEXT: Final = 2
"""Tokens that the decoder looks back at; -1 stands for none."""

MODEL, WORDS = "am-onnx", "lang"


def kaldi_transducer(directory: Path) -> None:
    """Fill the directory with encoder, decoder, joiner and tokens, in the folders that they lie in."""
    _encoder(directory / MODEL / "encoder.onnx")
    _decoder(directory / MODEL / "decoder.onnx")
    _joiner(directory / MODEL / "joiner.onnx")
    write_vocabulary(directory / WORDS / "tokens.txt")


def _encoder(path: Path) -> None:
    graph = Graph(seed=10)
    features = graph.takes("x", FLOAT, ["batch", "length_in", FEATURES])
    lengths = graph.takes("x_lens", INT64, ["batch"])
    frames = graph.normal(graph.thinned(features, SUBSAMPLING, axis=1), FEATURES)
    graph.node("Tanh", graph.times(frames, FEATURES, WIDTH), to="encoder_out")
    graph.lengths_of(lengths, SUBSAMPLING, to="encoder_out_lens")
    graph.gives("encoder_out", FLOAT, ["batch", "length_out", WIDTH])
    graph.gives("encoder_out_lens", INT64, ["batch"])
    graph.save(path)


def _decoder(path: Path) -> None:
    graph = Graph(seed=11)
    context = graph.takes("y", INT64, ["batch", CONTEXT])
    known = graph.node("Max", context, graph.constant(np.zeros(1, dtype=np.int64)))
    words = graph.embedded(known, len(PIECES), WIDTH)
    graph.node("ReduceSum", words, graph.numbers(1), to="decoder_out", keepdims=0)
    graph.gives("decoder_out", FLOAT, ["batch", WIDTH])
    graph.save(path)


def _joiner(path: Path) -> None:
    graph = Graph(seed=12)
    heard = graph.takes("encoder_out", FLOAT, ["batch", WIDTH])
    said = graph.takes("decoder_out", FLOAT, ["batch", WIDTH])
    both = graph.node("Tanh", graph.node("Add", heard, said))
    graph.node("MatMul", both, graph.weights(WIDTH, len(PIECES)), to="logit")
    graph.gives("logit", FLOAT, ["batch", len(PIECES)])
    graph.save(path)
