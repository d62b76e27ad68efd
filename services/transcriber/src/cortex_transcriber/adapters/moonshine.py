"""Speech recognition with the Moonshine layout: an encoder of raw audio and a merged decoder with caches.

The layout is that of an optimum export with int8 weights. Results of such a model depend on what else is in a batch
(activation scales are dynamic), and batching its encoder costs on a CPU, so utterances are recognised one by one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnxruntime

from cortex_transcriber.adapters.moonshine_tokenizer import END, START, Tokenizer
from cortex_transcriber.adapters.onnx_sessions import load_session
from cortex_transcriber.speech.manifest import Manifest
from cortex_transcriber.speech.recogniser import SAMPLE_RATE, Recognised, Samples

TOKENS_PER_SECOND: Final = 6.5
"""The fastest speech stays below it; a decoder that goes on is repeating itself (the model card's own guard)."""

SHORTEST: Final = 1_600
"""Samples: shorter audio is filled up with silence, because below about 900 a convolution of the encoder fails."""

Tensors = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class _Decoded:
    tokens: list[int]
    log_probabilities: list[float]
    truncated: bool


class MoonshineRecogniser:
    """One loaded Moonshine model, shared by all workers of the process."""

    batch_size = 1

    def __init__(self, directory: Path, manifest: Manifest) -> None:
        self.name = manifest.name
        self.language = manifest.language
        self.family = manifest.family
        self._encoder = load_session(directory / "encoder_model.ort")
        self._decoder = load_session(directory / "decoder_model_merged.ort")
        self._tokenizer = Tokenizer.parse((directory / "tokenizer.bin").read_bytes())
        caches = [given for given in self._decoder.get_inputs() if given.name.startswith("past_key_values")]
        self._no_cache = {given.name: _empty_cache(given) for given in caches}
        outputs = [made.name for made in self._decoder.get_outputs()]
        self._first_outputs = outputs
        # The merged decoder answers encoder caches only on its first step; later ones are dummies.
        self._next_outputs = [name for name in outputs if ".encoder." not in name]

    def recognise(self, samples: Samples) -> Recognised:
        """The words of one utterance."""
        decoded = self._decode(samples)
        mean = sum(decoded.log_probabilities) / max(1, len(decoded.log_probabilities))
        return Recognised(
            text=self._tokenizer.text(decoded.tokens),
            confidence=math.exp(mean),
            tokens=len(decoded.tokens),
            language=self.language,
            model=self.name,
            truncated=decoded.truncated,
        )

    def recognise_batch(self, utterances: Sequence[Samples]) -> list[Recognised]:
        """One by one, see the module's own docstring."""
        return [self.recognise(samples) for samples in utterances]

    def _decode(self, samples: Samples) -> _Decoded:
        audio = np.pad(samples, (0, max(0, SHORTEST - len(samples))))[np.newaxis]
        mask = np.ones(audio.shape, dtype=np.int64)
        (states,) = self._encoder.run(None, {"input_values": audio, "attention_mask": mask})
        # The decoder takes the mask at the length of the samples and thins it out itself.
        given: Tensors = {"encoder_hidden_states": states, "encoder_attention_mask": mask, **self._no_cache}
        limit = math.ceil(audio.shape[1] / SAMPLE_RATE * TOKENS_PER_SECOND)
        return self._greedy(given, limit)

    def _greedy(self, given: Tensors, limit: int) -> _Decoded:
        tokens: list[int] = []
        log_probabilities: list[float] = []
        token = START
        while len(tokens) < limit:
            logits = self._step(given, token, first=not log_probabilities)
            token = int(logits.argmax())
            log_probabilities.append(_log_probability(logits, token))
            if token == END:
                return _Decoded(tokens, log_probabilities, truncated=False)
            tokens.append(token)
        return _Decoded(tokens, log_probabilities, truncated=True)

    def _step(self, given: Tensors, token: int, *, first: bool) -> npt.NDArray[np.float32]:
        """Logits after one more token; leaves the caches for the next step in `given`."""
        given["input_ids"] = np.array([[token]], dtype=np.int64)
        given["use_cache_branch"] = np.array([not first])
        names = self._first_outputs if first else self._next_outputs
        answers = dict(zip(names, self._decoder.run(names, given), strict=True))
        logits: npt.NDArray[np.float32] = answers.pop("logits")[0, -1]
        given.update((name.replace("present", "past_key_values"), cache) for name, cache in answers.items())
        return logits


def _empty_cache(given: onnxruntime.NodeArg) -> npt.NDArray[np.float32]:
    _, heads, _, width = given.shape
    return np.zeros((1, heads, 0, width), dtype=np.float32)


def _log_probability(logits: npt.NDArray[np.float32], token: int) -> float:
    highest = logits[token]
    return -float(np.log(np.exp(logits - highest).sum()))
