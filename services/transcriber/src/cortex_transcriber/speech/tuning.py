"""Chooses how the models of a process are run, by measuring what the settings leave open."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final, Protocol

from cortex_runtime.logs import log

from cortex_transcriber.speech.pacing import Clock, pace
from cortex_transcriber.speech.planning import Pace, Plan, Wanted, batches, best, plans
from cortex_transcriber.speech.recogniser import Recogniser, Samples

BUDGET: Final = 10.0
"""Seconds for each model: after that no further plan is tried. A large model on a slow core has tried two by then."""


class Loader(Protocol):
    """A model that can be loaded in several ways."""

    @property
    def batches(self) -> bool:
        """Whether it may be given several utterances at once: whether the words of each depend on it alone."""

    def load(self, threads: int, batch: int) -> Recogniser:
        """Load it: so many threads for each recognition, so many utterances at once."""


@dataclass(frozen=True)
class Tuned:
    """A model as it is run.

    Attributes:
        paces: what was measured; nothing where there was nothing to choose.
        took: seconds of measuring and loading.
    """

    model: Recogniser
    plan: Plan
    paces: Sequence[Pace]
    took: float


@dataclass(frozen=True)
class Measuring:
    """What measuring needs.

    Attributes:
        cores: that the process may use.
        utterances: to be recognised.
        clock: in seconds.
    """

    cores: int
    utterances: Sequence[Samples]
    clock: Clock


def tuned(loaders: Sequence[Loader], wanted: Wanted, measuring: Measuring) -> Sequence[Tuned]:
    """All models, loaded.

    The first one's plan says how many workers there are for all: they share one scheduler.
    """
    first = _Tuning(loaders[0], measuring).tuned(wanted)
    rest = replace(wanted, workers=first.plan.workers)
    return [first, *(_Tuning(loader, measuring).tuned(rest) for loader in loaders[1:])]


def untuned(loaders: Sequence[Loader], wanted: Wanted, cores: int) -> Sequence[Tuned]:
    """All models, loaded, without any measuring: one thread a recognition, one utterance, a worker for each core."""
    wanted = replace(wanted, threads=wanted.threads or 1)
    return [_loaded(loader, plans(cores, _possible(loader, wanted))[0]) for loader in loaders]


class _Tuning:
    """Of one model."""

    def __init__(self, loader: Loader, measuring: Measuring) -> None:
        self._loader = loader
        self._measuring = measuring
        self._began = measuring.clock()
        self._paces: list[Pace] = []

    def tuned(self, wanted: Wanted) -> Tuned:
        wanted = _possible(self._loader, wanted)
        shapes = plans(self._measuring.cores, wanted)
        if len(shapes) == 1 and wanted.batch:
            return _loaded(self._loader, shapes[0])
        for plan in shapes:
            self._try(plan)
        if not wanted.batch:
            for plan in batches(best(self._paces).plan):
                self._try(plan)
        chosen = best(self._paces).plan
        model = self._loader.load(chosen.threads, chosen.batch)
        return Tuned(model, chosen, self._paces, self._measuring.clock() - self._began)

    def _try(self, plan: Plan) -> None:
        """Measure it, unless there is no time left. If only the simplest plan works, that is enough."""
        clock = self._measuring.clock
        if self._paces and clock() - self._began > BUDGET:
            return
        model = self._loader.load(plan.threads, plan.batch)
        try:
            self._paces.append(pace(model, plan, self._measuring.utterances, clock))
        except Exception as error:
            if not self._paces:
                raise
            log().warning("plan_failed", model=model.name, exc_info=error, **asdict(plan))


def _possible(loader: Loader, wanted: Wanted) -> Wanted:
    """Nobody's words may depend on who else speaks, whatever the settings say."""
    return wanted if loader.batches else replace(wanted, batch=1)


def _loaded(loader: Loader, plan: Plan) -> Tuned:
    return Tuned(loader.load(plan.threads, plan.batch), plan, (), 0.0)
