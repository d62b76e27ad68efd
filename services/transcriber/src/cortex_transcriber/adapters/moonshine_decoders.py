"""One token after the other from what a Moonshine encoder made of an utterance: by the rewritten graph or the export's.

Both answer with the most likely token and its log-probability, and keep an utterance's caches in what `begin` gives.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import onnxruntime
from cortex_runtime.logs import log

from cortex_transcriber.adapters.moonshine_graph import MOST_TOKENS, UnfamiliarGraph, rewritten
from cortex_transcriber.adapters.onnx_sessions import load_session

Array = npt.NDArray[Any]
Tensors = dict[str, Array]

Step = Callable[[int], tuple[int, float]]
"""From the token before to the next one and its log-probability."""

CACHES: Final = ("keys", "values")


class Decoder(Protocol):
    """The second half of a Moonshine model."""

    most_tokens: int

    def begin(self, states: Array, samples: int, /) -> Step:
        """Steps through an utterance of so many samples, from what the encoder made of it."""
        ...


def load_decoder(path: Path, threads: int = 1) -> Decoder:
    """The decoder of a file, rewritten where its graph is as expected."""
    try:
        return RewrittenDecoder(path, threads)
    except UnfamiliarGraph as unfamiliar:
        log().warning("decoder_not_rewritten", model=path.parent.name, exc_info=unfamiliar)
        return ExportedDecoder(path, threads)


class RewrittenDecoder:
    """The decoder as `moonshine_graph` writes it: a step costs a third less."""

    most_tokens = MOST_TOKENS

    def __init__(self, path: Path, threads: int = 1) -> None:
        decoder = rewritten(path)
        self._audio, self._step = (load_session(part, threads) for part in (decoder.audio, decoder.step))
        self._audio_names = _names_of(self._audio)
        self._step_names = _names_of(self._step)
        empty = np.zeros((1, decoder.heads, 0, decoder.head_size), dtype=np.float32)
        self._no_caches = {f"{name}{layer}": empty for layer in range(decoder.layers) for name in CACHES}

    def begin(self, states: Array, _samples: int, /) -> Step:
        """Steps through an utterance; its length does not matter here."""
        heard = zip(self._audio_names, self._audio.run(self._audio_names, {"states": states}), strict=True)
        given: Tensors = {**self._no_caches, **dict(heard)}
        position = 0

        def step(token: int) -> tuple[int, float]:
            nonlocal position
            given["token"], given["position"] = np.array([[token]]), np.array([position])
            following, log_probability, *caches = self._step.run(self._step_names, given)
            given.update(zip(self._no_caches, caches, strict=True))
            position += 1
            return int(following.item()), float(log_probability)

        return step


class ExportedDecoder:
    """The merged decoder of the export, whose results are the same."""

    most_tokens = MOST_TOKENS

    def __init__(self, path: Path, threads: int = 1) -> None:
        self._decoder = load_session(path, threads)
        caches = [given for given in self._decoder.get_inputs() if given.name.startswith("past_key_values")]
        self._no_caches = {given.name: _empty_cache(given) for given in caches}
        self._first_outputs = _names_of(self._decoder)
        # The merged decoder answers encoder caches only on its first step; later ones are dummies.
        self._next_outputs = [name for name in self._first_outputs if ".encoder." not in name]

    def begin(self, states: Array, samples: int, /) -> Step:
        """Steps through an utterance."""
        # The decoder takes the mask at the length of the samples and thins it out itself.
        mask = np.ones((1, samples), dtype=np.int64)
        given: Tensors = {"encoder_hidden_states": states, "encoder_attention_mask": mask, **self._no_caches}
        names = self._first_outputs

        def step(token: int) -> tuple[int, float]:
            nonlocal names
            given["input_ids"] = np.array([[token]], dtype=np.int64)
            given["use_cache_branch"] = np.array([names is self._next_outputs])
            answers = dict(zip(names, self._decoder.run(names, given), strict=True))
            names = self._next_outputs
            logits = answers.pop("logits")[0, -1]
            given.update((name.replace("present", "past_key_values"), cache) for name, cache in answers.items())
            following = int(logits.argmax())
            return following, _log_probability(logits, following)

        return step


def _names_of(session: onnxruntime.InferenceSession) -> list[str]:
    return [made.name for made in session.get_outputs()]


def _empty_cache(given: onnxruntime.NodeArg) -> Array:
    _, heads, _, width = given.shape
    return np.zeros((1, heads, 0, width), dtype=np.float32)


def _log_probability(logits: Array, token: int) -> float:
    return -float(np.log(np.exp(logits - logits[token]).sum()))
