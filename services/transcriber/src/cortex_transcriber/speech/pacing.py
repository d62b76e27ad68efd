"""Measures how fast a model is when it is run by a plan."""

import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from cortex_transcriber.speech.planning import Pace, Plan
from cortex_transcriber.speech.recogniser import SAMPLE_RATE, Recogniser, Samples

SLICE: Final = 0.5
"""Seconds for each plan: some ten utterances of a small model on a core, and at least one of any."""

Clock = Callable[[], float]
"""Seconds, from any beginning."""


def pace(model: Recogniser, plan: Plan, utterances: Sequence[Samples], clock: Clock) -> Pace:
    """Have the plan's workers recognise for a slice of time, after each has recognised something for nothing.

    Each worker's own speed counts, to the end of its own last recognition; so nobody is waited for.

    Raises:
        Exception: whatever the model raises.
    """
    run = _Run(model, plan, utterances, clock)
    with ThreadPoolExecutor(plan.workers) as threads:
        workers = [threads.submit(run.work) for _ in range(plan.workers)]
    failures = [error for worker in workers if (error := worker.exception())]
    for error in failures:
        if not isinstance(error, threading.BrokenBarrierError):  # which tells only that another worker failed
            raise error
    return Pace(plan, sum(worker.result() for worker in workers), run.texts)


class _Run:
    def __init__(self, model: Recogniser, plan: Plan, utterances: Sequence[Samples], clock: Clock) -> None:
        self.texts: dict[int, str] = {}
        self._model = model
        self._batch = plan.batch
        self._utterances = utterances
        self._clock = clock
        self._next = itertools.cycle(range(len(utterances)))
        self._taking = threading.Lock()
        self._warm = threading.Barrier(plan.workers)

    def work(self) -> float:
        """One worker's seconds of speech a second."""
        try:
            self._recognise([0] * self._batch)
        except Exception:
            self._warm.abort()
            raise
        self._warm.wait()
        began = now = self._clock()
        samples = 0
        while now - began < SLICE:
            samples += self._recognise(self._take())
            now = self._clock()
        return samples / SAMPLE_RATE / (now - began)

    def _take(self) -> list[int]:
        with self._taking:
            return [next(self._next) for _ in range(self._batch)]

    def _recognise(self, numbers: Sequence[int]) -> int:
        """How many samples that were."""
        given = [self._utterances[number] for number in numbers]
        heard = self._model.recognise_batch(given) if len(given) > 1 else [self._model.recognise(given[0])]
        self.texts.update(zip(numbers, (each.text for each in heard), strict=True))
        return sum(map(len, given))
