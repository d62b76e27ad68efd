from pathlib import Path

import numpy as np
import pytest
from cortex_client.demo.meeting import load
from cortex_transcriber.adapters.moonshine_decoders import (
    Decoder,
    ExportedDecoder,
    RewrittenDecoder,
    load_decoder,
)
from cortex_transcriber.adapters.moonshine_graph import UnfamiliarGraph, rewritten
from cortex_transcriber.adapters.moonshine_tokenizer import END, START
from cortex_transcriber.adapters.onnx_sessions import load_session
from cortex_transcriber.settings import SHIPPED_MODEL
from numpy.typing import NDArray

pytestmark = pytest.mark.integration

DECODER = "decoder_model_merged.ort"
MOST = 60


def states_of(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the encoder makes of an utterance."""
    encoder = load_session(SHIPPED_MODEL / "encoder_model.ort")
    mask = np.ones((1, len(audio)), dtype=np.int64)
    (states,) = encoder.run(None, {"input_values": audio[np.newaxis], "attention_mask": mask})
    return states


def decoded(decoder: Decoder, states: NDArray[np.float32], samples: int) -> tuple[list[int], list[float]]:
    """Tokens and their log-probabilities, to the end."""
    step, tokens, probabilities = decoder.begin(states, samples), [START], list[float]()
    while tokens[-1] != END and len(tokens) < MOST:
        token, log_probability = step(tokens[-1])
        tokens.append(token)
        probabilities.append(log_probability)
    return tokens, probabilities


def test_the_rewritten_decoder_says_what_the_export_says() -> None:
    """Token by token, as sure of each, for every line of a speaker and for noise, one decoder for all."""
    (speaker,) = [each for each in load().speakers if each.sample_rate == 16_000][:1]
    pcm = np.frombuffer(speaker.pcm, dtype="<i2").astype(np.float32) / (1 << 15)
    lines = [pcm[int(line.starts * 16_000) : int(line.ends * 16_000)] for line in speaker.lines]
    noise = np.random.default_rng(1).normal(scale=0.1, size=24_000).astype(np.float32)
    exported, mine = ExportedDecoder(SHIPPED_MODEL / DECODER), RewrittenDecoder(SHIPPED_MODEL / DECODER)
    for audio in [*lines, noise]:
        states = states_of(audio)
        expected, sure = decoded(exported, states, len(audio))
        tokens, as_sure = decoded(mine, states, len(audio))
        assert tokens == expected
        assert as_sure == pytest.approx(sure, abs=1e-2)
    assert len(lines) > 3


def test_utterances_may_go_side_by_side() -> None:
    """Each keeps its own caches, however the workers interleave their steps."""
    decoder = RewrittenDecoder(SHIPPED_MODEL / DECODER)
    one, other = (np.random.default_rng(seed).normal(size=(1, 40, 288)).astype(np.float32) for seed in (1, 2))
    alone, _ = decoded(decoder, one, 0)
    mine, theirs = decoder.begin(one, 0), decoder.begin(other, 0)
    token = START
    for expected in alone[1:]:
        theirs(START)
        token, _ = mine(token)
        assert token == expected


def test_an_unfamiliar_graph_is_refused_and_one_that_is_known_is_rewritten() -> None:
    """What cannot be rewritten is for the export's own decoder."""
    with pytest.raises(UnfamiliarGraph, match=r"encoder_model\.ort"):
        rewritten(SHIPPED_MODEL / "encoder_model.ort")
    assert isinstance(load_decoder(SHIPPED_MODEL / DECODER), RewrittenDecoder)


def test_what_cannot_be_rewritten_still_decodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The merged decoder of the export takes its place."""

    def refuse(path: Path) -> None:
        raise UnfamiliarGraph(path.name)

    monkeypatch.setattr("cortex_transcriber.adapters.moonshine_decoders.rewritten", refuse)
    assert isinstance(load_decoder(SHIPPED_MODEL / DECODER), ExportedDecoder)
