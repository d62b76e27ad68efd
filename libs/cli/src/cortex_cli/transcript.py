"""What was heard in a file; all times are seconds from its beginning."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """A word and when it began; `confidence` is the model's own, 0 to 1."""

    start: float
    text: str
    confidence: float


@dataclass(frozen=True)
class Utterance:
    """What was said between two pauses; `confidence` is the model's own, 0 to 1. `words` are there if it tells them."""

    start: float
    end: float
    text: str
    confidence: float
    words: tuple[Word, ...] = ()


@dataclass(frozen=True)
class Transcript:
    """What was said in a file."""

    file: str
    duration: float
    utterances: tuple[Utterance, ...]

    @property
    def text(self) -> str:
        """All of it."""
        return " ".join(utterance.text for utterance in self.utterances)
