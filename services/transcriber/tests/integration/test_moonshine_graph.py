from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from cortex_client.demo.meeting import load
from cortex_transcriber.adapters.moonshine_decoders import ExportedDecoder, RewrittenDecoder, load_decoder
from cortex_transcriber.adapters.moonshine_graph import UnfamiliarGraph, rewritten
from cortex_transcriber.adapters.moonshine_tokenizer import END
from cortex_transcriber.adapters.onnx_sessions import load_session
from cortex_transcriber.settings import SHIPPED_MODEL
from numpy.typing import NDArray

pytestmark = pytest.mark.integration

Samples = NDArray[np.float32]

DECODER = SHIPPED_MODEL / "decoder_model_merged.ort"
MOST = 60


@pytest.fixture(scope="module")
def mine() -> RewrittenDecoder:
    """The rewritten decoder."""
    return RewrittenDecoder(DECODER)


def spoken() -> Sequence[Samples]:
    """The lines of a speaker, and noise."""
    speaker = next(each for each in load().speakers if each.sample_rate == 16_000)
    pcm = np.frombuffer(speaker.pcm, dtype="<i2").astype(np.float32) / (1 << 15)
    lines = [pcm[int(line.starts * 16_000) : int(line.ends * 16_000)] for line in speaker.lines]
    return [*lines, np.random.default_rng(1).normal(scale=0.1, size=24_000).astype(np.float32)]


def states_of(audio: Samples) -> Samples:
    """What the encoder makes of an utterance."""
    encoder = load_session(SHIPPED_MODEL / "encoder_model.ort")
    mask = np.ones((1, len(audio)), dtype=np.int64)
    states: Samples = encoder.run(None, {"input_values": audio[np.newaxis], "attention_mask": mask})[0]
    return states


def test_the_rewritten_decoder_says_what_the_export_says(mine: RewrittenDecoder) -> None:
    """Token by token, about as sure of each; the last one is that of the end."""
    exported = ExportedDecoder(DECODER)
    for audio in spoken():
        states = states_of(audio)
        theirs, ours = (decoder.decode(states, len(audio), MOST) for decoder in (exported, mine))
        assert ours.tokens == theirs.tokens
        assert ours.log_probabilities == pytest.approx(theirs.log_probabilities, abs=0.05)
        assert ours.tokens[-1] == END


def test_both_stop_at_the_limit(mine: RewrittenDecoder) -> None:
    """So many tokens and no more, none of them that of the end."""
    audio = spoken()[0]
    states = states_of(audio)
    for decoder in (ExportedDecoder(DECODER), mine):
        decoded = decoder.decode(states, len(audio), 3)
        assert len(decoded.tokens) == len(decoded.log_probabilities) == 3
        assert END not in decoded.tokens


def test_several_threads_use_one_decoder(mine: RewrittenDecoder) -> None:
    """Each utterance has its own tokens, whatever goes on beside it."""
    heard = [(states_of(audio), len(audio)) for audio in spoken()[:3]]
    alone = [mine.decode(states, samples, MOST).tokens for states, samples in heard]
    with ThreadPoolExecutor(3) as threads:
        again = list(threads.map(lambda each: mine.decode(*each, MOST).tokens, heard * 3))
    assert again == alone * 3


def test_an_unfamiliar_graph_is_refused() -> None:
    """What cannot be rewritten is for the export's own decoder."""
    with pytest.raises(UnfamiliarGraph, match=r"encoder_model\.ort"):
        rewritten(SHIPPED_MODEL / "encoder_model.ort")


def test_what_cannot_be_rewritten_still_decodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The merged decoder of the export takes its place."""

    def refuse(path: Path) -> bytes:
        raise UnfamiliarGraph(path.name)

    assert isinstance(load_decoder(DECODER), RewrittenDecoder)
    monkeypatch.setattr("cortex_transcriber.adapters.moonshine_decoders.rewritten", refuse)
    assert isinstance(load_decoder(DECODER), ExportedDecoder)
