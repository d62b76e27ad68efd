"""The recognisers that the settings name."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cortex_runtime.failures import CannotStart

from cortex_transcriber.adapters.model_directory import ModelUnusable, load_recogniser, read_manifest
from cortex_transcriber.adapters.scripted_recogniser import ScriptedRecogniser
from cortex_transcriber.settings import ModelSettings
from cortex_transcriber.speech.choosing import chosen
from cortex_transcriber.speech.recogniser import Recogniser

MORE_DIRS: Final = "CORTEX_MODEL_MORE_DIRS"


def recognisers_of(settings: ModelSettings) -> Sequence[Recogniser]:
    """Load all of them, the default one first.

    Raises:
        CannotStart: a model is missing or damaged, says what to run; or two have the same name.
    """
    if settings.recogniser == "scripted":
        return [ScriptedRecogniser()]
    try:
        _require_names([read_manifest(directory).name for directory in _directories(settings)])
        return [load_recogniser(directory) for directory in _directories(settings)]
    except ModelUnusable as error:
        raise CannotStart(str(error)) from error


def recogniser_of(settings: ModelSettings, language: str) -> Recogniser | None:
    """Load the one that hears a language, the default one for an empty one; None when none does.

    Raises:
        CannotStart: a model is missing or damaged; says what to run.
    """
    if settings.recogniser == "scripted":
        return chosen([ScriptedRecogniser()], language)
    try:
        found = chosen([_Named(each, read_manifest(each).language) for each in _directories(settings)], language)
        return None if found is None else load_recogniser(found.directory)
    except ModelUnusable as error:
        raise CannotStart(str(error)) from error


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
