"""The port of speech recognition: audio of one utterance in, its words out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from cortex_transcriber.speech.words import Word

SAMPLE_RATE: Final = 16_000
"""Hertz of everything after the decoder: what voice detector and models were trained on."""

Samples = npt.NDArray[np.float32]
"""Mono audio at `SAMPLE_RATE`, one dimension, -1 to 1."""


@dataclass(frozen=True)
class Recognised:
    """What a model heard in one utterance.

    Attributes:
        text: the words, with capitals and punctuation where the model gives them; empty for none.
        confidence: the model's own, 0 to 1: the geometric mean of its tokens' probabilities (1 for an empty text).
        tokens: how many tokens the text took.
        language: BCP-47 tag, empty where the model does not say.
        model: name of the model.
        truncated: the model was stopped by its cap on tokens: it was probably repeating itself.
        words: those of the text with their times, where the model tells.
    """

    text: str
    confidence: float
    tokens: int
    language: str
    model: str
    truncated: bool = False
    words: tuple[Word, ...] = ()


class Recogniser(Protocol):
    """A loaded model. It is called from several threads at once and keeps nothing between calls."""

    @property
    def name(self) -> str:
        """Name of the model."""

    @property
    def language(self) -> str:
        """BCP-47 tag of what it hears, empty for several."""

    @property
    def family(self) -> str:
        """The layout of its files, as manifests name it."""

    @property
    def batch_size(self) -> int:
        """How many utterances it likes to be given at once; 1 for a model that does not gain from batches."""

    def recognise(self, samples: Samples) -> Recognised:
        """The words of one utterance, depending on its samples alone."""

    def recognise_batch(self, utterances: Sequence[Samples]) -> list[Recognised]:
        """The words of several utterances, in their order. Called only where `batch_size` is above 1."""
