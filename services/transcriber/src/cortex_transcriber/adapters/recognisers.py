"""The recogniser that the settings name."""

from cortex_runtime.failures import CannotStart

from cortex_transcriber.adapters.model_directory import ModelUnusable, load_recogniser
from cortex_transcriber.adapters.scripted_recogniser import ScriptedRecogniser
from cortex_transcriber.settings import ModelSettings
from cortex_transcriber.speech.recogniser import Recogniser


def recogniser_of(settings: ModelSettings) -> Recogniser:
    """Load it.

    Raises:
        CannotStart: the model is missing or damaged; says what to run.
    """
    if settings.recogniser == "scripted":
        return ScriptedRecogniser()
    try:
        return load_recogniser(settings.dir)
    except ModelUnusable as error:
        raise CannotStart(str(error)) from error
