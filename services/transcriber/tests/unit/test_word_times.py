"""Words and their times from the tokens of a model."""

import math
import re

import pytest
from cortex_transcriber.speech.words import MOST_WORDS, Word, words_of
from hypothesis import given
from hypothesis import strategies as st
from onnx_asr.asr import _AsrWithDecoding

pytestmark = pytest.mark.unit

HALF = math.log(0.5)
TOKENS = st.lists(
    st.sampled_from([" a", "b", " ", ".", " .", ",", " c d", "'", " '", "-", " -e", "ü", "5"]), max_size=12
)


def timed(*tokens: str) -> list[tuple[str, float]]:
    """The words of tokens that come one a second, and when they began."""
    words = words_of(tokens, [float(at) for at in range(len(tokens))], [0.0] * len(tokens))
    return [(word.text, word.start) for word in words]


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ((" so", " the", " qu", "ick"), [("so", 0), ("the", 1), ("quick", 2)]),
        (("so", " the"), [("so", 0), ("the", 1)]),
        (("s", "o", " ", "t", "h"), [("so", 0), ("th", 3)]),
        ((" fox", ",", " and", " ."), [("fox,", 0), ("and.", 2)]),
        ((" don", "'", "t"), [("don't", 0)]),
        ((" of course", " not"), [("of", 0), ("course", 0), ("not", 1)]),
        ((" ", " "), []),
        ((), []),
    ],
)
def test_tokens_make_words(tokens: tuple[str, ...], expected: list[tuple[str, float]]) -> None:
    """A word begins with its first token, whether the space stands in that token or in one of its own."""
    assert timed(*tokens) == expected


def test_a_word_is_as_sure_as_its_tokens() -> None:
    """The geometric mean, as for the whole utterance; where an export answers logits it is never above 1."""
    assert words_of([" a", "b", " c"], [0, 1, 2], [HALF, 3 * HALF, 2.0]) == (
        Word("ab", 0, pytest.approx(0.25)),
        Word("c", 2, 1.0),
    )


@given(TOKENS)
def test_the_words_are_those_of_the_text(tokens: list[str]) -> None:
    """They are divided where the text that onnx-asr makes of the same tokens has spaces."""
    text = re.sub(_AsrWithDecoding.DECODE_SPACE_PATTERN, lambda found: " " if found.group(1) else "", "".join(tokens))
    assert [word for word, _ in timed(*tokens)] == text.split()


def test_nonsense_has_no_times() -> None:
    """Half an utterance's words would be worse than none, and events stay small."""
    assert len(timed(*[" a"] * MOST_WORDS)) == MOST_WORDS
    assert timed(*[" a"] * (MOST_WORDS + 1)) == []
