"""The layout of Whisper as optimum exports it: an encoder, and a decoder that is one file with and without caches."""

from pathlib import Path
from typing import Final

import numpy as np
import onnx
from onnx import helper

from cortex_testkit.tiny_models.graph import BOOL, FLOAT, INT64, Graph
from cortex_testkit.tiny_models.whisper import END, FRAMES, MELS, SPECIAL, TOKENS, write_tokens

WIDTH: Final = 6
RELUCTANT, EAGER_TO_END = -20.0, 2.0
"""Of the end's logit: at first, and more with each token. Random weights would say nothing, or talk for ever."""


def whisper_merged(directory: Path) -> None:
    """Fill the directory with an encoder, a merged decoder, and the two files of the tokens."""
    _encoder(directory / "onnx" / "encoder_model.onnx")
    _decoder(directory / "onnx" / "decoder_model_merged.onnx")
    write_tokens(directory)


def _encoder(path: Path) -> None:
    graph = Graph(seed=15)
    features = graph.takes("input_features", FLOAT, ["batch", MELS, FRAMES])
    frames = graph.node("Transpose", graph.thinned(features, 2, axis=2), perm=[0, 2, 1])
    graph.node("Tanh", graph.times(frames, MELS, WIDTH), to="last_hidden_state")
    graph.gives("last_hidden_state", FLOAT, ["batch", FRAMES // 2, WIDTH])
    graph.save(path)


def _decoder(path: Path) -> None:
    graph = Graph(seed=16)
    ids = graph.takes("input_ids", INT64, ["batch", "tokens"])
    states = graph.takes("encoder_hidden_states", FLOAT, ["batch", "time", WIDTH])
    graph.takes("use_cache_branch", BOOL, [1])
    said = graph.embedded(ids, len(TOKENS), WIDTH)
    words = graph.node("Unsqueeze", said, graph.numbers(1))
    heard = graph.node("Unsqueeze", graph.node("ReduceMean", states, axes=[1], keepdims=1), graph.numbers(1))
    for part in ("key", "value"):
        _cache(graph, f"decoder.{part}", words, grows=True)
        _cache(graph, f"encoder.{part}", heard, grows=False)
    audio = graph.node("ReduceMean", states, axes=[1], keepdims=1)
    answer = graph.node("Add", graph.times(said, WIDTH, len(TOKENS)), graph.times(audio, WIDTH, len(TOKENS)))
    graph.node("Add", answer, _patience(graph), to="logits")
    graph.gives("logits", FLOAT, ["batch", "tokens", len(TOKENS)])
    _give_caches(graph)
    graph.save(path)


def _cache(graph: Graph, name: str, new: str, *, grows: bool) -> None:
    """The first step makes a cache; later ones add to the decoder's, and answer a dummy for the encoder's."""
    past = graph.takes(f"past_key_values.0.{name}", FLOAT, ["batch_before", 1, "before", WIDTH])
    kept = f"kept.{name}"
    if grows:
        then = helper.make_node("Concat", [past, new], [kept], axis=2)
    else:
        dummy = graph.constant(np.zeros((0, 1, 1, WIDTH), dtype=np.float32))
        then = helper.make_node("Identity", [dummy], [kept])
    otherwise = helper.make_node("Identity", [new], [f"made.{name}"])
    graph.node(
        "If",
        "use_cache_branch",
        to=f"present.0.{name}",
        then_branch=helper.make_graph([then], "later", [], [_tensor(kept)]),
        else_branch=helper.make_graph([otherwise], "first", [], [_tensor(f"made.{name}")]),
    )


def _tensor(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, FLOAT, ["batch_after", 1, "after", WIDTH])


def _give_caches(graph: Graph) -> None:
    for name in ("decoder.key", "decoder.value", "encoder.key", "encoder.value"):
        graph.gives(f"present.0.{name}", FLOAT, ["batch_after", 1, "after", WIDTH])


def _patience(graph: Graph) -> str:
    """What speaks for the end, and against tokens that stand in prompts only."""
    bias = np.array([RELUCTANT * (token in SPECIAL) for token in TOKENS], dtype=np.float32)
    end = np.array([EAGER_TO_END * (token == END) for token in TOKENS], dtype=np.float32)
    steps = graph.cast(graph.node("Shape", "present.0.decoder.key", start=2, end=3), FLOAT)
    return graph.node("Add", graph.constant(bias), graph.node("Mul", steps, graph.constant(end)))
