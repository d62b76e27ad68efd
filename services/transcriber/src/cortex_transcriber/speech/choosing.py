"""Which of several models hears a language. Languages are BCP-47 tags, whose letters have no case."""

from collections.abc import Iterable
from typing import Protocol, TypeVar


class Hears(Protocol):
    """Something that hears a language."""

    @property
    def language(self) -> str:
        """BCP-47 tag of what it hears, empty for several."""


Model = TypeVar("Model", bound=Hears)


def chosen(models: Iterable[Model], language: str) -> Model | None:
    """The model for a language; the first one where none is named, None where none hears it.

    The tag itself is best, then what has most subtags in common with it (a model of `zh-Hant` for `zh-Hant-TW`), a
    shorter tag before a longer one (`en` before `en-US` for `en-GB`), and last a model that hears several languages.
    Among equals it is the first.
    """
    if not language:
        return next(iter(models), None)
    fitting = [model for model in models if hears(model.language, language)]
    return min(fitting, key=lambda model: _distance(_subtags(model.language), _subtags(language)), default=None)


def hears(language: str, wanted: str) -> bool:
    """Whether a model of this language, empty for several, hears the wanted one: dialects are not told apart."""
    return not language or _subtags(language)[0] == _subtags(wanted)[0]


def _subtags(language: str) -> list[str]:
    return language.lower().split("-")


def _distance(subtags: list[str], wanted: list[str]) -> tuple[int, int]:
    """Less is nearer. A model of several languages has only the empty subtag, and so none in common."""
    common = 0
    for ours, theirs in zip(subtags, wanted, strict=False):
        if ours != theirs:
            break
        common += 1
    return -common, len(subtags)
