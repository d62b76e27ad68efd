"""Which plan is taken, given what was measured."""

import pytest
from cortex_transcriber.speech.planning import Pace, Plan, Wanted, batches, best, plans

pytestmark = pytest.mark.unit

HEARD = {0: "one", 1: "two"}


def pace(plan: Plan, speed: float, **heard: str) -> Pace:
    """A measured plan; what else it heard by the number of the utterance, as `u1="another"`."""
    return Pace(plan, speed, {**HEARD, **{int(number[1:]): text for number, text in heard.items()}})


@pytest.mark.parametrize(
    ("cores", "wanted", "shapes"),
    [
        (1, Wanted(), [(1, 1)]),
        (2, Wanted(), [(2, 1), (1, 2)]),
        (6, Wanted(), [(6, 1), (3, 2), (1, 4)]),
        (64, Wanted(), [(64, 1), (32, 2), (16, 4), (8, 8)]),
        (8, Wanted(workers=2), [(2, 1), (2, 2), (2, 4)]),
        (2, Wanted(workers=5), [(5, 1)]),
        (8, Wanted(threads=3), [(2, 3)]),
        (2, Wanted(threads=4), [(1, 4)]),
        (8, Wanted(workers=3, threads=5), [(3, 5)]),
    ],
)
def test_cores_are_shared_among_workers(cores: int, wanted: Wanted, shapes: list[tuple[int, int]]) -> None:
    """No plan has more threads than cores unless it was asked for, and what was asked for stands in all of them."""
    assert plans(cores, wanted) == [Plan(*shape) for shape in shapes]


def test_a_batch_that_was_asked_for_stands_in_every_plan() -> None:
    """Shapes are then compared with it."""
    assert plans(2, Wanted(batch=4)) == [Plan(2, 1, 4), Plan(1, 2, 4)]
    assert batches(Plan(2, 1)) == [Plan(2, 1, 2), Plan(2, 1, 4), Plan(2, 1, 8)]


def test_the_fastest_is_taken() -> None:
    """Where it is clearly the fastest."""
    assert best([pace(Plan(2, 1), 50), pace(Plan(1, 2), 60)]).plan == Plan(1, 2)


def test_near_ties_go_to_what_is_simpler() -> None:
    """Smaller batches first, then fewer threads, whichever was measured a little faster."""
    assert best([pace(Plan(2, 1), 50), pace(Plan(1, 2), 52)]).plan == Plan(2, 1)
    one_by_one, pairs, eights = Plan(2, 1), Plan(2, 1, 2), Plan(2, 1, 8)
    assert best([pace(one_by_one, 80), pace(pairs, 98), pace(eights, 100)]).plan == pairs


def test_other_words_are_no_choice_however_fast() -> None:
    """A plan that hears something else than one utterance at a time does is left out."""
    standard, faster = pace(Plan(2, 1), 50), pace(Plan(2, 1, 8), 100, u1="too")
    assert best([standard, faster]) is standard


def test_what_only_one_of_two_heard_says_nothing() -> None:
    """A faster plan gets further in the same time."""
    assert best([pace(Plan(2, 1), 50), pace(Plan(2, 1, 8), 100, u2="three")]).plan == Plan(2, 1, 8)
