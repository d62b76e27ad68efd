"""Words as they are compared: two texts that a listener would call the same are the same here."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import jiwer

_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_UNITS = f"zero one two three four five six seven eight nine {_TEENS}".split()
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
# Larger numbers are read in too many ways to be spelled out by rule; the script avoids them.
_LARGEST_SPELLED = 99
_SAME = {"okay": "ok", "o'clock": "oclock"}


@dataclass(frozen=True)
class WordErrors:
    """How many words were wrong, of how many that were said."""

    errors: int
    words: int

    def __add__(self, other: "WordErrors") -> "WordErrors":
        return WordErrors(self.errors + other.errors, self.words + other.words)

    @property
    def rate(self) -> float:
        """Substitutions, deletions and insertions as a fraction of the words said."""
        return self.errors / self.words if self.words else 0.0


def word_errors(said: Iterable[str], heard: Iterable[str]) -> WordErrors:
    """Compare what one speaker said with what was heard, both in their order; the cuts between texts do not matter."""
    reference, hypothesis = normal(" ".join(said)), normal(" ".join(heard))
    measured = jiwer.process_words(reference, hypothesis)
    errors = measured.substitutions + measured.deletions + measured.insertions
    return WordErrors(errors, len(reference.split()))


def normal(text: str) -> str:
    """Lower case, no punctuation, numbers up to 99 as words."""
    text = text.lower().replace("’", "'")
    words = re.findall(r"[a-z]+(?:'[a-z]+)*|\d+", text)
    return " ".join(_SAME.get(word, _spelled(word)) for word in words)


def _spelled(word: str) -> str:
    if not word.isdigit() or int(word) > _LARGEST_SPELLED:
        return word
    number = int(word)
    if number < len(_UNITS):
        return _UNITS[number]
    tens, unit = divmod(number, 10)
    return _TENS[tens - 2] + (f" {_UNITS[unit]}" if unit else "")
