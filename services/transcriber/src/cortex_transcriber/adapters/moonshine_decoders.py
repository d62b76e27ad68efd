"""From what a Moonshine encoder made of an utterance to its tokens: by the rewritten graph or by the export's own.

Both take the most likely token each time, and answer with all of them and their log-probabilities.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import onnxruntime
from cortex_runtime.logs import log

from cortex_transcriber.adapters.moonshine_graph import MOST_TOKENS, UnfamiliarGraph, rewritten
from cortex_transcriber.adapters.moonshine_tokenizer import END, START
from cortex_transcriber.adapters.onnx_sessions import load_session

Array = npt.NDArray[Any]
Tensors = dict[str, Array]


@dataclass(frozen=True)
class Decoded:
    """What was written down.

    Attributes:
        tokens: the last one is that of the end, unless there were too many.
        log_probabilities: of each.
    """

    tokens: list[int] = field(default_factory=list)
    log_probabilities: list[float] = field(default_factory=list)


class Decoder(Protocol):
    """The second half of a Moonshine model; several threads may use it at once."""

    def decode(self, states: Array, samples: int, limit: int) -> Decoded:
        """At most so many tokens of an utterance of so many samples, from what the encoder made of it."""
        ...


def load_decoder(path: Path, threads: int = 1) -> Decoder:
    """The decoder of a file, rewritten where its graph is as expected."""
    try:
        return RewrittenDecoder(path, threads)
    except UnfamiliarGraph as unfamiliar:
        log().warning("decoder_not_rewritten", model=path.parent.name, exc_info=unfamiliar)
        return ExportedDecoder(path, threads)


class RewrittenDecoder:
    """The decoder as `moonshine_graph` writes it, in half the time."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        self._session = load_session(rewritten(path), threads)

    def decode(self, states: Array, _samples: int, limit: int) -> Decoded:
        """All tokens in one call."""
        given = {"states": states, "limit": np.array(min(limit, MOST_TOKENS))}
        tokens, log_probabilities = self._session.run(None, given)
        return Decoded(tokens.reshape(-1).tolist(), log_probabilities.tolist())


class ExportedDecoder:
    """The merged decoder of the export, a call for each token."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        self._session = load_session(path, threads)
        caches = [given for given in self._session.get_inputs() if given.name.startswith("past_key_values")]
        self._no_caches = {given.name: _empty_cache(given) for given in caches}
        self._first_outputs = [made.name for made in self._session.get_outputs()]
        # The merged decoder answers encoder caches only on its first step; later ones are dummies.
        self._next_outputs = [name for name in self._first_outputs if ".encoder." not in name]

    def decode(self, states: Array, samples: int, limit: int) -> Decoded:
        """Token by token."""
        # The decoder takes the mask at the length of the samples and thins it out itself.
        mask = np.ones((1, samples), dtype=np.int64)
        given: Tensors = {"encoder_hidden_states": states, "encoder_attention_mask": mask, **self._no_caches}
        decoded, token = Decoded(), START
        while token != END and len(decoded.tokens) < limit:
            logits = self._step(given, token, first=not decoded.tokens)
            token = int(logits.argmax())
            decoded.tokens.append(token)
            decoded.log_probabilities.append(_log_probability(logits, token))
        return decoded

    def _step(self, given: Tensors, token: int, *, first: bool) -> Array:
        """Logits after one more token; leaves the caches for the next step in `given`."""
        given["input_ids"] = np.array([[token]], dtype=np.int64)
        given["use_cache_branch"] = np.array([not first])
        names = self._first_outputs if first else self._next_outputs
        answers = dict(zip(names, self._session.run(names, given), strict=True))
        logits: Array = answers.pop("logits")[0, -1]
        given.update((name.replace("present", "past_key_values"), cache) for name, cache in answers.items())
        return logits


def _empty_cache(given: onnxruntime.NodeArg) -> Array:
    _, heads, _, width = given.shape
    return np.zeros((1, heads, 0, width), dtype=np.float32)


def _log_probability(logits: Array, token: int) -> float:
    return -float(np.log(np.exp(logits - logits[token]).sum()))
