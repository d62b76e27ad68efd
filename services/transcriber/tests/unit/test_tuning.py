"""What is measured at the start, and what is not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from cortex_transcriber.adapters.cores import within
from cortex_transcriber.speech.planning import Plan, Wanted
from cortex_transcriber.speech.recogniser import SAMPLE_RATE, Recognised, Samples
from cortex_transcriber.speech.tuning import BUDGET, Measuring, tuned, untuned

pytestmark = pytest.mark.unit

FAILS = "fails"
SECOND = np.zeros(SAMPLE_RATE, dtype=np.float32)


class Clock:
    """Time that models take."""

    now = 0.0

    def __call__(self) -> float:
        """Now."""
        return self.now


@dataclass
class Model:
    """Takes as long for an utterance as its threads and batches let it."""

    clock: Clock
    cost: float
    text: str
    batch_size: int
    name: str = "model"
    language: str = "en"
    family: str = "model"

    def recognise(self, samples: Samples) -> Recognised:
        """One."""
        return self.recognise_batch([samples])[0]

    def recognise_batch(self, utterances: Sequence[Samples]) -> list[Recognised]:
        """Several, each at its cost."""
        if self.text == FAILS:
            raise MemoryError
        self.clock.now += self.cost * len(utterances)
        return [Recognised(self.text, 1.0, 1, "en", self.name) for _ in utterances]


@dataclass
class Loader:
    """Loads models that cost what is said here, by threads and batch."""

    clock: Clock
    costs: Mapping[tuple[int, int], float]
    batches: bool = False
    texts: Mapping[int, str] = field(default_factory=dict)
    loaded: list[tuple[int, int]] = field(default_factory=list)

    def load(self, threads: int, batch: int) -> Model:
        """One that is run so."""
        self.loaded.append((threads, batch))
        return Model(self.clock, self.costs[threads, batch], self.texts.get(batch, "words"), batch)


@pytest.fixture
def clock() -> Clock:
    """Of all models of a test."""
    return Clock()


def on(cores: int, clock: Clock) -> Measuring:
    """A machine of so many cores."""
    return Measuring(cores, [SECOND], clock)


def test_one_way_only_is_not_measured(clock: Clock) -> None:
    """One core and words that depend on neighbours leave no choice."""
    loader = Loader(clock, {(1, 1): 0.1})
    (found,) = tuned([loader], Wanted(), on(1, clock))
    assert (found.plan, found.paces, clock.now) == (Plan(1), (), 0.0)


def test_what_is_set_is_not_measured(clock: Clock) -> None:
    """All three: the process starts at once."""
    loader = Loader(clock, {(3, 4): 0.1}, batches=True)
    (found,) = tuned([loader], Wanted(2, 3, 4), on(8, clock))
    assert (found.plan, found.model.batch_size, clock.now) == (Plan(2, 3, 4), 4, 0.0)


def test_threads_are_taken_where_they_gain(clock: Clock) -> None:
    """Threads that are more than twice as fast than one are worth half the workers."""
    loader = Loader(clock, {(1, 1): 0.1, (2, 1): 0.02})
    (found,) = tuned([loader], Wanted(workers=1), on(2, clock))
    assert found.plan == Plan(1, 2)
    assert [pace.plan for pace in found.paces] == [Plan(1, 1), Plan(1, 2)]


def test_batches_are_measured_with_the_best_shape(clock: Clock) -> None:
    """Only for a model whose words do not depend on them; near ties go to the smaller."""
    loader = Loader(clock, {(1, 1): 0.1, (1, 2): 0.05, (1, 4): 0.049, (1, 8): 0.2}, batches=True)
    (found,) = tuned([loader], Wanted(), on(1, clock))
    assert (found.plan, found.model.batch_size) == (Plan(1, 1, 2), 2)


def test_a_batch_that_changes_words_is_not_taken(clock: Clock) -> None:
    """However fast it is: a text never depends on who else was speaking."""
    costs = {(1, 1): 0.1, (1, 2): 0.01, (1, 4): 0.01, (1, 8): 0.01}
    loader = Loader(clock, costs, batches=True, texts={2: "other words", 4: "other words", 8: "other words"})
    (found,) = tuned([loader], Wanted(), on(1, clock))
    assert found.plan == Plan(1)


def test_a_batch_that_was_asked_for_is_refused_where_words_depend_on_it(clock: Clock) -> None:
    """The settings are of all models; this one is heard one by one all the same."""
    loader = Loader(clock, {(1, 1): 0.1})
    assert tuned([loader], Wanted(batch=8), on(1, clock))[0].plan == Plan(1)
    assert untuned([loader], Wanted(batch=8), 1)[0].plan == Plan(1)


def test_a_plan_that_fails_is_no_choice(clock: Clock) -> None:
    """An export may take one utterance only; that is no reason not to start."""
    loader = Loader(clock, {(1, 1): 0.1, (1, 2): 0.01, (1, 4): 0.01, (1, 8): 0.01}, batches=True, texts={2: FAILS})
    (found,) = tuned([loader], Wanted(), on(1, clock))
    assert [pace.plan.batch for pace in found.paces] == [1, 4, 8]


def test_a_model_that_fails_at_all_keeps_the_process_from_starting(clock: Clock) -> None:
    """Nobody would be heard."""
    with pytest.raises(MemoryError):
        tuned([Loader(clock, {(1, 1): 0.1}, batches=True, texts={1: FAILS})], Wanted(), on(1, clock))


def test_a_slow_model_tries_no_more_than_there_is_time_for(clock: Clock) -> None:
    """What was measured by then decides."""
    loader = Loader(clock, {(1, 1): BUDGET, (2, 1): 0.1})
    (found,) = tuned([loader], Wanted(workers=1), on(2, clock))
    assert (found.plan, [pace.plan for pace in found.paces]) == (Plan(1), [Plan(1)])


def test_the_first_model_decides_on_the_workers_of_all(clock: Clock) -> None:
    """The others are measured with as many, and take more threads where cores are left."""
    first = Loader(clock, {(1, 1): 1.0, (2, 1): 0.1})
    second = Loader(clock, {(1, 1): 0.1, (2, 1): 0.04})
    found = tuned([first, second], Wanted(workers=None), on(2, clock))
    assert found[0].plan == Plan(1, 2)
    assert found[1].plan == Plan(1, 2)
    assert [pace.plan.workers for pace in found[1].paces] == [1, 1]


def test_without_measuring_every_core_has_a_worker(clock: Clock) -> None:
    """One thread each, one utterance; what is set holds."""
    loader = Loader(clock, {(1, 1): 0.1, (4, 2): 0.1}, batches=True)
    assert [found.plan for found in untuned([loader, loader], Wanted(), 8)] == [Plan(8), Plan(8)]
    assert untuned([loader], Wanted(None, 4, 2), 8)[0].plan == Plan(2, 4, 2)
    assert clock.now == 0.0


@pytest.mark.parametrize(
    ("quota", "cores"),
    [("max 100000\n", 8), ("200000 100000\n", 2), ("150000 100000\n", 2), ("5000 100000\n", 1), ("x", 8), ("1 0", 8)],
)
def test_a_container_has_the_cores_that_it_has_time_for(quota: str, cores: int) -> None:
    """More workers than that would be stopped in the middle of recognitions."""
    assert within(quota, 8) == cores
