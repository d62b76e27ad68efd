"""The recognisers that the settings name."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from cortex_runtime.failures import CannotStart
from cortex_runtime.logs import log
from prometheus_client import Gauge

from cortex_transcriber.adapters.cores import usable_cores
from cortex_transcriber.adapters.model_directory import ModelUnusable, read_manifest
from cortex_transcriber.adapters.model_loader import ModelLoader
from cortex_transcriber.adapters.scripted_recogniser import ScriptedRecogniser
from cortex_transcriber.settings import ModelSettings
from cortex_transcriber.speech.choosing import chosen
from cortex_transcriber.speech.planning import Wanted
from cortex_transcriber.speech.recogniser import Recogniser
from cortex_transcriber.speech.specimen import utterances
from cortex_transcriber.speech.tuning import Measuring, Tuned, tuned, untuned

MORE_DIRS: Final = "CORTEX_MODEL_MORE_DIRS"

WORKERS = Gauge("cortex_transcriber_workers", "Recognitions at once, of all models together.")
THREADS = Gauge("cortex_transcriber_model_threads", "Threads of one recognition.", ["model"])
BATCH = Gauge("cortex_transcriber_model_batch", "Utterances in one recognition at most.", ["model"])


@dataclass(frozen=True)
class Loaded:
    """The models of this process, the default one first, and how many recognitions they share."""

    recognisers: Sequence[Recogniser]
    workers: int


def recognisers_of(settings: ModelSettings) -> Loaded:
    """Load all of them, and find out how they run best, as far as the settings leave it open.

    Raises:
        CannotStart: a model is missing or damaged, says what to run; or two have the same name.
    """
    if settings.recogniser == "scripted":
        return _scripted(settings)
    try:
        _require_names([read_manifest(directory).name for directory in _directories(settings)])
        return _running([ModelLoader(directory) for directory in _directories(settings)], settings)
    except ModelUnusable as error:
        raise CannotStart(str(error)) from error


def recogniser_of(settings: ModelSettings, language: str) -> Loaded | None:
    """Load the one that hears a language, the default one for an empty one; None when none does.

    Nothing is measured: that would take longer than most recordings.

    Raises:
        CannotStart: a model is missing or damaged; says what to run.
    """
    if settings.recogniser == "scripted":
        loaded = _scripted(settings)
        return loaded if chosen(loaded.recognisers, language) else None
    try:
        found = chosen([_Named(each, read_manifest(each).language) for each in _directories(settings)], language)
        unmeasured = settings.model_copy(update={"measure": False})
        return None if found is None else _running([ModelLoader(found.directory)], unmeasured)
    except ModelUnusable as error:
        raise CannotStart(str(error)) from error


def _scripted(settings: ModelSettings) -> Loaded:
    return Loaded([ScriptedRecogniser()], settings.workers or usable_cores())


def _running(loaders: Sequence[ModelLoader], settings: ModelSettings) -> Loaded:
    wanted, cores = Wanted(settings.workers, settings.threads, settings.batch), usable_cores()
    if settings.measure:
        found = tuned(loaders, wanted, Measuring(cores, utterances(), time.monotonic))
    else:
        found = untuned(loaders, wanted, cores)
    for each in found:
        _tell(each)
    return Loaded([each.model for each in found], found[0].plan.workers)


def _tell(found: Tuned) -> None:
    name, plan = found.model.name, found.plan
    for measured in found.paces:
        log().info("plan_measured", model=name, speed=round(measured.speed, 1), **asdict(measured.plan))
    log().info("plan_chosen", model=name, took=round(found.took, 2), **asdict(plan))
    WORKERS.set(found.plan.workers)
    THREADS.labels(found.model.name).set(found.plan.threads)
    BATCH.labels(found.model.name).set(found.plan.batch)


@dataclass(frozen=True)
class _Named:
    directory: Path
    language: str


def _directories(settings: ModelSettings) -> list[Path]:
    return [settings.dir, *settings.more_dirs]


def _require_names(names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise CannotStart(f"{MORE_DIRS}: each model must have a name of its own, and several are called {name}")
