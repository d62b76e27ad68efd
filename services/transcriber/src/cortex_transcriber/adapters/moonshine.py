"""Speech recognition with the Moonshine layout: an encoder of raw audio and a merged decoder with caches.

The layout is that of an optimum export with int8 weights. Results of such a model depend on what else is in a batch
(activation scales are dynamic), and batching its encoder costs on a CPU, so utterances are recognised one by one.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from cortex_transcriber.adapters.moonshine_decoders import Decoded, load_decoder
from cortex_transcriber.adapters.moonshine_tokenizer import END, Tokenizer
from cortex_transcriber.adapters.onnx_sessions import load_session
from cortex_transcriber.speech.manifest import Manifest
from cortex_transcriber.speech.recogniser import SAMPLE_RATE, Recognised, Samples

TOKENS_PER_SECOND: Final = 6.5
"""The fastest speech stays below it; a decoder that goes on is repeating itself (the model card's own guard)."""

SHORTEST: Final = 1_600
"""Samples: shorter audio is filled up with silence, because below about 900 a convolution of the encoder fails."""


class MoonshineRecogniser:
    """One loaded Moonshine model, shared by all workers of the process."""

    batch_size = 1

    def __init__(self, directory: Path, manifest: Manifest, threads: int = 1) -> None:
        self.name = manifest.name
        self.language = manifest.language
        self.family = manifest.family
        self._encoder = load_session(directory / "encoder_model.ort", threads)
        self._decoder = load_decoder(directory / "decoder_model_merged.ort", threads)
        self._tokenizer = Tokenizer.parse((directory / "tokenizer.bin").read_bytes())

    def recognise(self, samples: Samples) -> Recognised:
        """The words of one utterance."""
        decoded = self._decode(samples)
        mean = sum(decoded.log_probabilities) / max(1, len(decoded.log_probabilities))
        ended = decoded.tokens[-1:] == [END]
        words = decoded.tokens[:-1] if ended else decoded.tokens
        return Recognised(
            text=self._tokenizer.text(words),
            confidence=math.exp(mean),
            tokens=len(words),
            language=self.language,
            model=self.name,
            truncated=not ended,
        )

    def recognise_batch(self, utterances: Sequence[Samples]) -> list[Recognised]:
        """One by one, see the module's own docstring."""
        return [self.recognise(samples) for samples in utterances]

    def _decode(self, samples: Samples) -> Decoded:
        audio = np.pad(samples, (0, max(0, SHORTEST - len(samples))))[np.newaxis]
        mask = np.ones(audio.shape, dtype=np.int64)
        (states,) = self._encoder.run(None, {"input_values": audio, "attention_mask": mask})
        limit = math.ceil(audio.shape[1] / SAMPLE_RATE * TOKENS_PER_SECOND)
        return self._decoder.decode(states, audio.shape[1], limit)
