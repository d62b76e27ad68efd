"""The layout of NeMo's multitask exports (Canary): an encoder, and a decoder that remembers its own steps."""

from pathlib import Path
from typing import Final

import numpy as np

from cortex_testkit.tiny_models.graph import FLOAT, INT64, Graph
from cortex_testkit.tiny_models.nemo_ctc import FEATURES, SUBSAMPLING
from cortex_testkit.tiny_models.vocabulary import write_vocabulary

END: Final = "<|endoftext|>"
PROMPT: Final = (
    "<|startofcontext|>",
    "<|startoftranscript|>",
    "<|emo:undefined|>",
    "<|en|>",
    "<|pnc|>",
    "<|noitn|>",
    "<|notimestamp|>",
    "<|nodiarize|>",
)
TOKENS: Final = ("▁a", "▁b", "c", "d", "▁", END, *PROMPT)
WIDTH: Final = 6
LAYERS: Final = 1
RELUCTANT, EAGER_TO_END = -40.0, 2.0
"""Of the end's logit: at first, and more with each token. Random weights would say nothing, or talk for ever."""


def nemo_conformer_aed(directory: Path) -> None:
    """Fill the directory with the files of a model that transcribes by attention."""
    _encoder(directory)
    _decoder(directory)
    write_vocabulary(directory / "vocab.txt", TOKENS)


def _encoder(directory: Path) -> None:
    graph = Graph(seed=4)
    signal = graph.takes("audio_signal", FLOAT, ["batch", FEATURES, "length_in"])
    lengths = graph.takes("length", INT64, ["batch"])
    frames = graph.node("Transpose", graph.thinned(signal, SUBSAMPLING, axis=2), perm=[0, 2, 1])
    embeddings = graph.node("Tanh", graph.times(frames, FEATURES, WIDTH), to="encoder_embeddings")
    _mask(graph, embeddings, graph.lengths_of(lengths, SUBSAMPLING, to="encoded_lengths"))
    graph.gives("encoder_embeddings", FLOAT, ["batch", "length_out", WIDTH])
    graph.gives("encoder_mask", INT64, ["batch", "length_out"])
    graph.save(directory / "encoder-model.onnx")


def _mask(graph: Graph, embeddings: str, lengths: str) -> None:
    """1 for each frame that is none of the padding."""
    zero, one = (graph.constant(np.array(n, dtype=np.int64)) for n in (0, 1))
    count = graph.node("Squeeze", graph.node("Shape", embeddings, start=1, end=2), graph.numbers(0))
    place = graph.node("Unsqueeze", graph.node("Range", zero, count, one), graph.numbers(0))
    graph.cast(graph.node("Less", place, graph.node("Unsqueeze", lengths, graph.numbers(1))), INT64, to="encoder_mask")


def _decoder(directory: Path) -> None:
    graph = Graph(seed=5)
    ids = graph.takes("input_ids", INT64, ["batch", "tokens"])
    embeddings = graph.takes("encoder_embeddings", FLOAT, ["batch", "time", WIDTH])
    mask = graph.takes("encoder_mask", INT64, ["batch", "time"])
    memory = graph.takes("decoder_mems", FLOAT, [LAYERS, "batch", "before", WIDTH])
    said = graph.embedded(ids, len(TOKENS), WIDTH)
    so_far = graph.node(
        "Concat", memory, graph.node("Unsqueeze", said, graph.numbers(0)), to="decoder_hidden_states", axis=2
    )
    answer = graph.node("Add", graph.times(said, WIDTH, len(TOKENS)), _heard(graph, embeddings, mask))
    graph.node("LogSoftmax", graph.node("Add", answer, _patience(graph, so_far)), to="logits", axis=-1)
    graph.gives("logits", FLOAT, ["batch", "tokens", len(TOKENS)])
    graph.gives("decoder_hidden_states", FLOAT, [LAYERS, "batch", "after", WIDTH])
    graph.save(directory / "decoder-model.onnx")


def _heard(graph: Graph, embeddings: str, mask: str) -> str:
    """What the audio says to each token: the mean of the frames that are none of the padding."""
    weights = graph.node("Unsqueeze", graph.cast(mask, FLOAT), graph.numbers(2))
    total = graph.node("ReduceSum", graph.node("Mul", embeddings, weights), graph.numbers(1), keepdims=1)
    mean = graph.node("Div", total, graph.node("ReduceSum", weights, graph.numbers(1), keepdims=1))
    return graph.times(mean, WIDTH, len(TOKENS))


def _patience(graph: Graph, so_far: str) -> str:
    """What speaks for the end, and against tokens that stand in prompts only."""
    bias = np.array([RELUCTANT * (token in (*PROMPT, END)) for token in TOKENS], dtype=np.float32)
    end = np.array([EAGER_TO_END * (token == END) for token in TOKENS], dtype=np.float32)
    steps = graph.cast(graph.node("Shape", so_far, start=2, end=3), FLOAT)
    return graph.node("Add", graph.constant(bias), graph.node("Mul", steps, graph.constant(end)))
