"""Every model family that onnx-asr loads (NeMo, Zipformer, Whisper and others), from a directory on this machine."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from onnx_asr.adapters import TimestampedResultsAsrAdapter
from onnx_asr.asr import TimestampedResult
from onnx_asr.loader import Manager, create_asr_resolver

from cortex_transcriber.adapters.onnx_sessions import session_options
from cortex_transcriber.speech.manifest import Manifest
from cortex_transcriber.speech.recogniser import SAMPLE_RATE, Recognised, Samples
from cortex_transcriber.speech.words import Word, words_of

FAMILIES: Final = (
    "gigaam-multilingual-ctc",
    "gigaam-v2-ctc",
    "gigaam-v2-rnnt",
    "gigaam-v3-ctc",
    "gigaam-v3-e2e-ctc",
    "gigaam-v3-e2e-rnnt",
    "gigaam-v3-rnnt",
    "kaldi-rnnt",
    "nemo-conformer-aed",
    "nemo-conformer-ctc",
    "nemo-conformer-rnnt",
    "nemo-conformer-tdt",
    "t-one-ctc",
    "vosk",
    "whisper",
    "whisper-ort",
)
"""What onnx-asr names the layouts that it loads. With a directory given and `offline` it asks no hub for anything."""


class OnnxAsrRecogniser:
    """A model behind onnx-asr.

    Its Whisper tells no probabilities: all of its texts have confidence 1, and the voice detector alone judges them.
    Exports that answer logits where probabilities belong are as sure as they can be, and never surer.
    """

    def __init__(self, model: TimestampedResultsAsrAdapter, manifest: Manifest, batch_size: int = 1) -> None:
        self.batch_size = batch_size
        self.name = manifest.name
        self.language = manifest.language
        self.family = manifest.family
        self._model = model
        self._manifest = manifest

    def batched(self, size: int) -> "OnnxAsrRecogniser":
        """The same model, which likes to be given so many utterances at once."""
        return OnnxAsrRecogniser(self._model, self._manifest, size)

    def recognise(self, samples: Samples) -> Recognised:
        """The words of one utterance."""
        return self._recognised(self._model.recognize(samples, sample_rate=SAMPLE_RATE))

    def recognise_batch(self, utterances: Sequence[Samples]) -> list[Recognised]:
        """The words of several utterances in one padded run of the model."""
        return [self._recognised(result) for result in self._model.recognize(list(utterances), sample_rate=SAMPLE_RATE)]

    def _recognised(self, result: TimestampedResult) -> Recognised:
        log_probabilities = result.logprobs or []
        mean = sum(log_probabilities) / max(1, len(log_probabilities))
        return Recognised(
            text=result.text.strip(),
            confidence=min(1.0, math.exp(mean)),
            tokens=len(result.tokens or ()),
            language=self.language,
            model=self.name,
            words=_words(result),
        )


def _words(result: TimestampedResult) -> tuple[Word, ...]:
    """With their times, where tokens have any: those of attention models and Whisper have none."""
    if not (result.tokens and result.timestamps and result.logprobs):
        return ()
    return words_of(result.tokens, result.timestamps, result.logprobs)


def files_of(directory: Path, family: str, quantization: str) -> list[Path]:
    """Which files of the directory the loader of a family takes; some lie in folders.

    Raises:
        onnx_asr.utils.ModelLoadingError: one is missing, or there are several.
    """
    resolver = create_asr_resolver(family, directory, offline=True)
    return sorted(resolver.resolve_model(quantization=quantization or None).values())


def load_onnx_asr(directory: Path, manifest: Manifest, threads: int = 1) -> OnnxAsrRecogniser:
    """Load the directory as the family that its manifest names, to run on so many threads. Nothing is downloaded.

    Raises:
        ValueError: the family is none that onnx-asr knows, or its loader would take a file that nobody verified.
        onnx_asr.utils.ModelLoadingError: the directory lacks a file of that family.
    """
    if manifest.family not in FAMILIES:
        raise ValueError(f"family must be moonshine or one of {', '.join(FAMILIES)}")
    for file in files_of(directory, manifest.family, manifest.quantization):
        if (name := file.relative_to(directory).as_posix()) not in manifest.files:
            raise ValueError(f"{name} is not in the manifest")
    manager = Manager(sess_options=session_options(threads), providers=["CPUExecutionProvider"])
    quantization = manifest.quantization or None
    model = manager.create_asr(manifest.family, directory, quantization=quantization, offline=True)
    return OnnxAsrRecogniser(model.with_timestamps(), manifest)
