"""Hears files in this process, with the transcriber's own cuts and model."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cortex_eventing.errors import CortexError, Rejected
from cortex_runtime.failures import CannotStart
from cortex_runtime.settings import SettingsError, load
from cortex_transcriber.loaded_models import LanguageNotHeard
from cortex_transcriber.recording_wiring import Standalone, StandaloneSettings, standalone
from cortex_transcriber.recordings.hearing import Progress
from cortex_transcriber.recordings.hearing import Utterance as HeardUtterance
from cortex_transcriber.settings import ModelSettings

from cortex_cli.complaint import Complaint
from cortex_cli.hints import refused
from cortex_cli.ports import Heard, Hearer, Told
from cortex_cli.transcript import Utterance, Word


class LocalHearer:
    """The port `Hearer` on a transcriber without servers."""

    def __init__(self, transcriber: Standalone) -> None:
        self._transcriber = transcriber

    async def hear(self, data: bytes, told: Told) -> Heard:
        """Hear a file."""

        def tell(progress: Progress) -> None:
            told(progress.heard, progress.promised)

        try:
            heard = await self._transcriber.hear(data, tell)
        except Rejected as refusal:
            raise refused(refusal.message, refusal.reason) from refusal
        except CortexError as error:
            raise Complaint("the model fails at this file", "see `cortex models check`") from error
        return Heard(heard.duration, tuple(_utterance(said) for said in heard.utterances))


@asynccontextmanager
async def hearing_here(model_dir: Path | None, language: str) -> AsyncIterator[Hearer]:
    """The transcriber's pipeline in this process; settings are the service's CORTEX_* variables.

    Raises:
        Complaint: a variable is wrong, the model is missing or damaged, or none hears the language.
    """
    settings = _settings(model_dir)
    try:
        async with standalone(settings, language) as transcriber:
            yield LocalHearer(transcriber)
    except LanguageNotHeard as error:
        raise refused(error.message, error.reason) from error
    except CannotStart as error:
        raise Complaint(str(error)) from error


def _utterance(said: HeardUtterance) -> Utterance:
    recognised = said.recognised
    words = tuple(Word(min(said.start + word.start, said.end), word.text, word.confidence) for word in recognised.words)
    return Utterance(said.start, said.end, recognised.text, recognised.confidence, words)


def _settings(model_dir: Path | None) -> StandaloneSettings:
    try:
        settings = load(StandaloneSettings)
    except SettingsError as error:
        raise Complaint(str(error), "see the settings of the transcriber") from error
    if model_dir is None:
        return settings
    model = ModelSettings(**{**settings.model.model_dump(), "dir": model_dir, "more_dirs": (), "recogniser": "model"})
    return settings.model_copy(update={"model": model})
