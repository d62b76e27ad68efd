"""How many recognitions at once, on how many threads each, of how many utterances: the choice, given what was measured.

Nothing here measures anything.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

NEAR: Final = 0.1
"""Speeds within 10 % of the best are as good: one plan's own, each measured for half a second, differ by that."""

MOST_THREADS: Final = 8
"""Of one recognition. Models of this size gain nothing from more."""

BATCHES: Final = (2, 4, 8)
"""Sizes that are tried; beyond them a short utterance waits for long ones, and padding eats what is gained."""


@dataclass(frozen=True)
class Plan:
    """How a model is run.

    Attributes:
        workers: recognitions at once.
        threads: of each.
        batch: utterances in each at most.
    """

    workers: int
    threads: int = 1
    batch: int = 1


@dataclass(frozen=True)
class Wanted:
    """What of a plan is given, and so not measured; None for what is free."""

    workers: int | None = None
    threads: int | None = None
    batch: int | None = None


@dataclass(frozen=True)
class Pace:
    """What was measured of a plan.

    Attributes:
        speed: seconds of speech recognised in a second.
        texts: what was heard, by the number of the utterance.
    """

    plan: Plan
    speed: float
    texts: Mapping[int, str]


def plans(cores: int, wanted: Wanted) -> Sequence[Plan]:
    """Ways to share the cores among workers, the one with fewest threads first."""
    if wanted.threads:
        return [_plan(cores, wanted, wanted.threads)]
    return [_plan(cores, wanted, threads) for threads in _thread_counts(cores // (wanted.workers or 1))]


def batches(plan: Plan) -> Sequence[Plan]:
    """The plan with larger batches."""
    return [Plan(plan.workers, plan.threads, batch) for batch in BATCHES]


def best(paces: Sequence[Pace]) -> Pace:
    """The fastest, or what is nearly as fast with smaller batches, then fewer threads.

    The first pace is the standard: whatever hears other words than it does is no choice.
    """
    faithful = [pace for pace in paces if _same(pace.texts, paces[0].texts)]
    fast_enough = max(pace.speed for pace in faithful) * (1 - NEAR)
    near = [pace for pace in faithful if pace.speed >= fast_enough]
    return min(near, key=lambda pace: (pace.plan.batch, pace.plan.threads))


def _plan(cores: int, wanted: Wanted, threads: int) -> Plan:
    return Plan(wanted.workers or max(1, cores // threads), threads, wanted.batch or 1)


def _thread_counts(most: int) -> Iterator[int]:
    """1, 2, 4 and so on."""
    threads = 1
    yield threads
    while (threads := threads * 2) <= min(most, MOST_THREADS):
        yield threads


def _same(texts: Mapping[int, str], standard: Mapping[int, str]) -> bool:
    return all(texts[number] == standard[number] for number in texts.keys() & standard.keys())
