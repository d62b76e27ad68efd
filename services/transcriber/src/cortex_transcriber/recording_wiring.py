"""Who talks to whom when recordings are heard: in the service, and in a process of its own without any server."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Final

from cortex_runtime.allowance import Allowance
from cortex_runtime.settings import ServiceSettings
from pydantic_settings import BaseSettings

from cortex_transcriber.adapters.av_recording import AvRecording
from cortex_transcriber.adapters.decoders import new_decoder
from cortex_transcriber.adapters.recognisers import recogniser_of
from cortex_transcriber.adapters.silero import load_silero
from cortex_transcriber.loaded_models import LanguageNotHeard, LoadedModel
from cortex_transcriber.recordings.hearing import Ears, Heard, Recordings, Told
from cortex_transcriber.recordings.limits import MIB
from cortex_transcriber.recordings.ports import Recognise
from cortex_transcriber.settings import ModelSettings, RecordingSettings, SpeechSettings
from cortex_transcriber.speech.recogniser import SAMPLE_RATE, Recogniser
from cortex_transcriber.speech.scheduler import Scheduler, scheduling, warm_up_audio
from cortex_transcriber.speech.voice_detector import VoiceDetector
from cortex_transcriber.stream.recognising import BelievedRecognition

SLACK: Final = MIB
"""Bytes of a request beyond the largest file: what is a little too large is refused by the rule that it breaks, and not
by gRPC with two numbers."""

DEFAULT_DEADLINE, LONGEST_DEADLINE = 60.0, 600.0
"""Seconds. A few minutes of speech take less than a minute on any core; half an hour takes some on a busy machine."""


LARGEST_HERE, LONGEST_HERE_S = 1 << 30, 86_400
"""Bytes and seconds of a recording in a process that hears nothing else: a day, and what memory holds."""


class StandaloneSettings(BaseSettings):
    """What a process without servers reads from the environment: the same variables as the service."""

    model_config = ServiceSettings.model_config

    model: ModelSettings = ModelSettings()
    speech: SpeechSettings = SpeechSettings()
    recordings: RecordingSettings = RecordingSettings(largest_bytes=LARGEST_HERE, longest_s=LONGEST_HERE_S, at_once=1)


@dataclass(frozen=True)
class Standalone:
    """The transcriber without any server around it.

    Attributes:
        model: the name of its model.
    """

    model: str
    _recordings: Recordings
    _recognise: Recognise

    async def hear(self, data: bytes, told: Told) -> Heard:
        """Hear a whole file; raises what `Recordings.hear` raises."""
        return await self._recordings.hear(data, self._recognise, told)


@asynccontextmanager
async def standalone(settings: StandaloneSettings, language: str = "") -> AsyncIterator[Standalone]:
    """The transcriber in this process, its model for the language (the default one for none) loaded and warm.

    Nobody speaks here, so recordings need not leave any worker free for them.

    Raises:
        CannotStart: the model is missing or damaged; says what to run.
        LanguageNotHeard: no model hears the language.
    """
    running = recogniser_of(settings.model, language)
    if running is None:
        raise LanguageNotHeard(language, "language")
    (recogniser,) = running.recognisers
    async with scheduling(running.recognisers, running.workers) as scheduler:
        recognition = BelievedRecognition(scheduler, recogniser, warm_up_audio())
        with hearing_recordings(load_silero(), settings.speech, settings.recordings) as recordings:
            yield Standalone(recogniser.name, recordings, recognition.final)


@contextmanager
def hearing_recordings(
    detector: VoiceDetector, speech: SpeechSettings, settings: RecordingSettings
) -> Iterator[Recordings]:
    """Recordings are heard while the context lasts."""
    recordings = Recordings(
        Ears(AvRecording, detector, new_decoder, replace(speech.segmenting, interim_ms=0, early_ms=0)), settings.limits
    )
    try:
        yield recordings
    finally:
        recordings.close()


def loaded(recogniser: Recogniser, scheduler: Scheduler) -> LoadedModel:
    """A model as it is listed and chosen."""
    recognition = BelievedRecognition(scheduler, recogniser, warm_up_audio())
    return LoadedModel(recogniser.name, recogniser.language, recogniser.family, SAMPLE_RATE, recognition)


def allowance(settings: RecordingSettings) -> Allowance:
    """What `Recognize` may take."""
    return Allowance(settings.largest_bytes + SLACK, DEFAULT_DEADLINE, LONGEST_DEADLINE)
