"""What of interim texts stays."""

from itertools import pairwise

import pytest
from cortex_transcriber.speech.agreeing import Agreed, Agreement
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.unit

WORDS = (
    "so",
    "So,",
    "the",
    "quick",
    "Quick",
    "fox.",
    "fox",
    "'fox'",
    "jumps",
    "don't",
    "…",
    "-",
    "5%",
    "語",
    "हिन्दी",
    "  ",
)
FREE = st.lists(st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join), max_size=12)
ANY = st.lists(st.text(max_size=20), max_size=8)


def told(*hypotheses: str) -> list[Agreed]:
    """What is shown for one after the other."""
    agreement = Agreement()
    return [agreement.heard(hypothesis) for hypothesis in hypotheses]


def stable(*hypotheses: str) -> list[str]:
    """The part of each text that stays."""
    return [agreed.text[: agreed.stable_length] for agreed in told(*hypotheses)]


@settings(max_examples=400, deadline=None)
@given(st.one_of(FREE, ANY))
def test_what_is_stable_stays_and_never_shrinks(hypotheses: list[str]) -> None:
    """For any hypotheses whatever each stable part is the beginning of every later text, and of every later one."""
    shown = told(*hypotheses)
    for earlier, later in pairwise(shown):
        kept = earlier.text[: earlier.stable_length]
        assert len(kept) == earlier.stable_length
        assert later.text.startswith(kept)
        assert later.stable_length >= earlier.stable_length


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["alpha", "beta", "gamma"]), max_size=12), st.data())
def test_words_that_only_grow_are_stable_at_the_second_sight(spoken: list[str], data: st.DataObject) -> None:
    """Hypotheses of growing length are shown as they are; what two of them have is stable, no more and no less."""
    lengths = sorted(data.draw(st.lists(st.integers(0, len(spoken)), max_size=6)))
    hypotheses = [" ".join(spoken[:length]) for length in lengths]
    shown = told(*hypotheses)
    assert [agreed.text for agreed in shown] == hypotheses
    assert [agreed.text[: agreed.stable_length] for agreed in shown] == ["", *hypotheses][: len(hypotheses)]


def test_one_hypothesis_alone_is_not_believed() -> None:
    """The last words change most, and it takes a second look to know which these were."""
    assert stable("so the quick", "so the big fox", "so the big fox jumps") == ["", "so the", "so the big fox"]


def test_a_full_stop_at_the_end_is_no_part_of_it() -> None:
    """Models end whatever they are given; capitals and commas around words do not divide them either."""
    assert told("So the fox.", "so, the fox jumps.", "So the fox jumps over.") == [
        Agreed("So the fox.", 0),
        Agreed("so, the fox jumps.", len("so, the fox")),
        Agreed("so, the fox jumps over.", len("so, the fox jumps")),
    ]


def test_the_same_hypothesis_again_leaves_its_end_open() -> None:
    """During a pause nothing new comes; the sentence may go on behind it all the same."""
    assert told("so the fox.", "so the fox.", "so the fox jumps")[1:] == [
        Agreed("so the fox.", len("so the fox")),
        Agreed("so the fox jumps", len("so the fox")),
    ]


@pytest.mark.parametrize(
    ("later", "shown"),
    [
        ("so the ice cream truck is", "so the icecream truck is"),
        ("soda icecream truck is", "so the icecream truck is"),
        ("so the truck is", "so the icecream truck is"),
        ("well so the icecream truck is", "so the icecream truck is"),
        ("so the", "so the icecream truck"),
        ("", "so the icecream truck"),
    ],
)
def test_what_was_stable_is_shown_as_it_was(later: str, shown: str) -> None:
    """A hypothesis that has other words by now goes on behind them, with none twice and none left out."""
    assert told("so the icecream truck", "so the icecream truck", later)[-1].text == shown


def test_a_hypothesis_with_nothing_in_common_comes_behind() -> None:
    """The words do not run into each other."""
    assert told("so", "so", "never")[-1].text in ("so", "so never")


def test_scripts_without_spaces_agree_by_character() -> None:
    """Otherwise a Chinese or Japanese sentence would be a single word, which is never heard twice."""
    assert stable("今日は天気", "今日は転機が", "今日は転機がいい") == ["", "今日は", "今日は転機が"]


def test_vowel_signs_belong_to_their_word() -> None:
    """A word that differs in its last sign only is another word."""
    assert stable("यह हिन्दी", "यह हिन्दि है") == ["", "यह"]


def test_a_long_hypothesis_that_changes_is_followed() -> None:
    """As many words as half a minute holds, all others than before, are dealt with like few."""
    first, second = " ".join(f"a{n}" for n in range(120)), " ".join(f"b{n}" for n in range(130))
    shown = told(first, first, second, second)
    assert shown[-1].text.startswith(first)
    assert shown[-1].text.endswith("b129")
