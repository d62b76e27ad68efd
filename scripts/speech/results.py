"""Everything that the page tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scripts.speech.measuring import Row, total
from scripts.speech.not_speech import Group, Opinion


@dataclass(frozen=True)
class SourceRows:
    """A source's rows.

    Attributes:
        name: of the source.
        voices: and their words.
        rows: of what is meant to work.
        mixed: of two voices on one track.
    """

    name: str
    voices: Mapping[str, int]
    rows: Sequence[Row]
    mixed: Row

    @property
    def total(self) -> Row:
        """Of all rows."""
        return total(self.rows)


@dataclass(frozen=True)
class Results:
    """One run.

    Attributes:
        model: its name.
        sources: both.
        endpoints: word error rates through the service by the silence that ends an utterance and by the row.
        groups: what is not speech.
        speech: opinions of segments that are speech, by condition.
    """

    model: str
    sources: Sequence[SourceRows]
    endpoints: Mapping[int, Mapping[str, float]]
    groups: Sequence[Group]
    speech: Mapping[str, Sequence[Opinion]]
