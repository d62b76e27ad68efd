"""When the words of an utterance were said, from the tokens of a model that tells when it heard each.

Models that align tokens with audio (CTC, transducers) say in which step of theirs (30 to 80 ms) a token was heard, and
not where it ends: a word has a beginning only, that of its first token. How near that is to the mouth is the model's
own affair: nothing in its training holds it to more than the order of the words.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MOST_WORDS: Final = 512
"""Words of an utterance, which has half a minute at most: people say fewer than 200. A model that hears more is writing
nonsense, whose times are kept by nobody."""

LETTER: Final = re.compile(r"\w")


@dataclass(frozen=True)
class Word:
    """A word as it stands in the text, with its punctuation.

    Attributes:
        text: without spaces.
        start: seconds from the beginning of the utterance's audio.
        confidence: the geometric mean of its tokens' probabilities, 0 to 1.
    """

    text: str
    start: float
    confidence: float


@dataclass
class _Open:
    text: str
    start: float
    log_probabilities: list[float]

    def closed(self) -> Word:
        mean = sum(self.log_probabilities) / len(self.log_probabilities)
        return Word(self.text, self.start, min(1.0, math.exp(mean)))


def words_of(tokens: Sequence[str], starts: Sequence[float], log_probabilities: Sequence[float]) -> tuple[Word, ...]:
    """The words that these tokens make.

    A space begins a word, wherever in a token it stands, unless punctuation follows, which belongs to the word before.

    Args:
        tokens: pieces of words, with the spaces before them.
        starts: seconds at which each was heard, none later than the one after it.
        log_probabilities: of each.

    Returns:
        The words in their order; none where they are more than any utterance has.
    """
    words: list[_Open] = []
    spaced = True
    for token, start, log_probability in zip(tokens, starts, log_probabilities, strict=True):
        touched: _Open | None = None
        for character in token:
            if character.isspace():
                spaced = True
                continue
            if not words or (spaced and LETTER.match(character)):
                words.append(_Open("", start, []))
            spaced = False
            word = words[-1]
            word.text += character
            if word is not touched:
                word.log_probabilities.append(log_probability)
                touched = word
    return tuple(word.closed() for word in words) if len(words) <= MOST_WORDS else ()
