"""The layout of NeMo's transducer exports: an encoder, and decoder and joint network in one file."""

from pathlib import Path
from typing import Final

from cortex_testkit.tiny_models.graph import FLOAT, INT32, INT64, Graph
from cortex_testkit.tiny_models.nemo_ctc import FEATURES, SUBSAMPLING
from cortex_testkit.tiny_models.vocabulary import PIECES, write_vocabulary

WIDTH: Final = 6
DURATIONS: Final = 5
"""How far a token-and-duration transducer may go on at once: 0 to 4 frames."""


def nemo_conformer_rnnt(directory: Path) -> None:
    """Fill the directory with the files of a transducer that goes on by blanks."""
    _encoder(directory)
    _decoder_joint(directory, len(PIECES))
    write_vocabulary(directory / "vocab.txt")


def nemo_conformer_tdt(directory: Path) -> None:
    """Fill the directory with the files of a transducer that says with each token how many frames it took."""
    _encoder(directory)
    _decoder_joint(directory, len(PIECES) + DURATIONS)
    write_vocabulary(directory / "vocab.txt")


def _encoder(directory: Path) -> None:
    graph = Graph(seed=2)
    signal = graph.takes("audio_signal", FLOAT, ["batch", FEATURES, "length_in"])
    lengths = graph.takes("length", INT64, ["batch"])
    frames = graph.node("Transpose", graph.thinned(signal, SUBSAMPLING, axis=2), perm=[0, 2, 1])
    graph.node("Transpose", graph.times(frames, FEATURES, WIDTH), to="outputs", perm=[0, 2, 1])
    graph.lengths_of(lengths, SUBSAMPLING, to="encoded_lengths")
    graph.gives("outputs", FLOAT, ["batch", WIDTH, "length_out"])
    graph.gives("encoded_lengths", INT64, ["batch"])
    graph.save(directory / "encoder-model.onnx")


def _decoder_joint(directory: Path, answers: int) -> None:
    graph = Graph(seed=3)
    encoded = graph.takes("encoder_outputs", FLOAT, ["batch", WIDTH, "time"])
    targets = graph.takes("targets", INT32, ["batch", "tokens"])
    graph.takes("target_length", INT32, ["batch"])
    states = [graph.takes(f"input_states_{n}", FLOAT, [1, "batch", WIDTH]) for n in (1, 2)]
    word = graph.node("Transpose", graph.embedded(targets, len(PIECES), WIDTH), perm=[1, 0, 2])
    said = graph.node("Tanh", graph.node("Add", word, states[0]), to="output_states_1")
    graph.node("Tanh", graph.node("Add", states[1], said), to="output_states_2")
    heard = graph.times(graph.node("Transpose", encoded, perm=[0, 2, 1]), WIDTH, answers)
    answer = graph.node("Add", heard, graph.node("Transpose", graph.times(said, WIDTH, answers), perm=[1, 0, 2]))
    graph.node("Unsqueeze", answer, graph.numbers(2), to="outputs")
    graph.gives("outputs", FLOAT, ["batch", "time", "tokens", answers])
    for n in (1, 2):
        graph.gives(f"output_states_{n}", FLOAT, [1, "batch", WIDTH])
    graph.save(directory / "decoder_joint-model.onnx")
