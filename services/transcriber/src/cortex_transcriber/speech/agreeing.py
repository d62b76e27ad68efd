"""What of an utterance's interim texts stays: the words that two hypotheses in a row agree upon.

This is LocalAgreement-2, as whisper_streaming has it (Machacek, Dabre and Bojar 2023, arXiv 2307.14743), for
hypotheses that each begin at the utterance's beginning. Words are compared without case and without the punctuation
around them: models end whatever they are given with a full stop. What was shown as stable is shown as it was from then
on, whatever later hypotheses make of it.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

UNSPACED: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
"""Kana and Chinese characters are written without spaces: each counts as a word."""

TOKEN: Final = re.compile(rf"[{UNSPACED}]|[^\s{UNSPACED}]+")

AROUND_WORDS: Final = ("P", "S")
"""Unicode categories of punctuation and symbols. Not whatever is no letter: vowel signs of Indic scripts are marks."""


@dataclass(frozen=True)
class Agreed:
    """An interim text, of which so many characters (Unicode code points) from its beginning stay as they are."""

    text: str
    stable_length: int


@dataclass(frozen=True)
class _Word:
    compared: str
    end: int  # in the hypothesis, without the punctuation that follows


class Agreement:
    """The interim texts of one utterance."""

    def __init__(self) -> None:
        self._stable = ""  # ends with a word, without the punctuation that follows
        self._stable_words: list[str] = []
        self._unstable_words: list[str] = []  # of the last hypothesis

    def heard(self, hypothesis: str) -> Agreed:
        """What to show for the newest hypothesis: what is stable, and how this hypothesis goes on."""
        words = _words(hypothesis)
        known = _standing_for(self._stable_words, [word.compared for word in words])
        goes_on_at = words[known - 1].end if known else 0
        space = " " if self._stable and words and not known else ""
        text = f"{self._stable}{space}{hypothesis[goes_on_at:]}"
        moved = len(self._stable) + len(space) - goes_on_at
        self._agree(text, [_Word(word.compared, word.end + moved) for word in words[known:]])
        return Agreed(text, len(self._stable))

    def _agree(self, text: str, unstable: list[_Word]) -> None:
        """Make stable what the last hypothesis had as well; `unstable` are the words of the text that are not yet."""
        compared = [word.compared for word in unstable]
        both = _common(self._unstable_words, compared)
        if both:
            self._stable = text[: unstable[both - 1].end]
            self._stable_words += compared[:both]
        self._unstable_words = compared[both:]


def _words(hypothesis: str) -> list[_Word]:
    """The tokens that are more than punctuation."""
    found = []
    for token in TOKEN.finditer(hypothesis):
        inner = [at for at, character in enumerate(token[0]) if unicodedata.category(character)[0] not in AROUND_WORDS]
        if inner:
            compared = token[0][inner[0] : inner[-1] + 1].casefold()
            found.append(_Word(compared, token.start() + inner[-1] + 1))
    return found


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _standing_for(stable: Sequence[str], words: Sequence[str]) -> int:
    """How many words of a hypothesis stand where the stable ones do.

    Mostly they are the same. Where the hypothesis has others by now it is as many as take the fewest changes
    (Levenshtein's distance): of several those that end with the same word, then as few more or less as there can be.
    """
    same = _common(stable, words)
    before, now = stable[same:], words[same:]
    if not before:
        return same
    costs = list(range(len(now) + 1))
    for row, word in enumerate(before, start=1):
        last, costs[0] = costs[0], row
        for column, other in enumerate(now, start=1):
            kept = last + (word != other)
            last = costs[column]
            costs[column] = min(kept, last + 1, costs[column - 1] + 1)
    return same + min(
        range(len(costs)), key=lambda count: (costs[count], before[-1:] != now[:count][-1:], abs(count - len(before)))
    )
