"""The layout of Whisper as onnxruntime's own tool exports it: features in, the whole text out."""

import json
from pathlib import Path
from typing import Final

import numpy as np

from cortex_testkit.tiny_models.graph import FLOAT, INT32, INT64, Graph

MELS: Final = 80
FRAMES: Final = 3_000
"""Half a minute, to which Whisper fills up whatever it is given."""

WORDS: Final = ("Ġa", "Ġb", "c", "d")
"""Bytes are written as letters; this one stands for a space."""

END: Final = "<|endoftext|>"
SPECIAL: Final = (END, "<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>")
TOKENS: Final = (*WORDS, *SPECIAL)
SAID: Final = 6
"""Tokens of every text."""


def whisper_beam_search(directory: Path) -> None:
    """Fill the directory with one file that searches, and the two of the tokens."""
    graph = Graph(seed=14)
    features = graph.takes("input_features", FLOAT, ["batch", MELS, FRAMES])
    longest = graph.takes("max_length", INT32, [1])
    for name in ("min_length", "num_beams", "num_return_sequences"):
        graph.takes(name, INT32, [1])
    for name in ("length_penalty", "repetition_penalty"):
        graph.takes(name, FLOAT, [1])
    prompt = graph.takes("decoder_input_ids", INT32, ["batch", "prompt"])
    sequence = graph.node("Concat", prompt, *_said(graph, features), axis=1)
    cut = graph.node("Slice", sequence, graph.numbers(0), graph.cast(longest, INT64), graph.numbers(1))
    graph.node("Unsqueeze", cut, graph.numbers(1), to="sequences")
    graph.gives("sequences", INT32, ["batch", 1, "tokens"])
    graph.save(directory / "whisper-tiny_beamsearch.onnx")
    write_tokens(directory)


def write_tokens(directory: Path) -> None:
    """Words and special tokens, in the two files that every export of Whisper has."""
    numbers = {token: number for number, token in enumerate(TOKENS)}
    for name, tokens in (("vocab", WORDS), ("added_tokens", SPECIAL)):
        (directory / f"{name}.json").write_text(json.dumps({token: numbers[token] for token in tokens}))


def _said(graph: Graph, features: str) -> tuple[str, str]:
    """The words of a batch, and the end of each text."""
    mean = graph.node("ReduceMean", features, axes=[2], keepdims=0)
    answers = graph.times(graph.normal(mean, MELS), MELS, SAID * len(WORDS))
    choices = graph.node("Reshape", answers, graph.numbers(-1, SAID, len(WORDS)))
    words = graph.cast(graph.node("ArgMax", choices, axis=2, keepdims=0), INT32)
    first = graph.node("Slice", words, graph.numbers(0), graph.numbers(1), graph.numbers(1))
    end = graph.constant(np.array(TOKENS.index(END), dtype=np.int32))
    return words, graph.node("Add", graph.node("Mul", first, graph.constant(np.array(0, dtype=np.int32))), end)
