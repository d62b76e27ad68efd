"""Which words of the model become utterances."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from cortex_eventing.errors import Unavailable
from cortex_transcriber.adapters.scripted_recogniser import ScriptedRecogniser
from cortex_transcriber.speech.events import EndLikely, InterimDue, SegmentReady
from cortex_transcriber.speech.pcm import Pcm
from cortex_transcriber.speech.recogniser import Recognised, Recogniser
from cortex_transcriber.speech.scheduler import Job
from cortex_transcriber.speech.segmenting import SpeechStats
from cortex_transcriber.stream.ports import Unrecognisable
from cortex_transcriber.stream.recognising import ATTEMPTS, BelievedRecognition

pytestmark = pytest.mark.unit

PCM = np.zeros(3200, dtype=np.int16)
SPEECH = SegmentReady(0, 9, SpeechStats(0.95, 1.0, 200), settles=True, pcm=PCM)
KNOWN_GOOD = np.zeros(1600, dtype=np.int16)
NOISE = replace(SPEECH, stats=SpeechStats(0.4, 0.6, 200))
MODEL = ScriptedRecogniser()
WORDS = Recognised("Good morning.", 0.9, 4, "en", "tiny")


class Model:
    """Says what it is told to, or fails so often; at what it took when it was started only if it is `broken`."""

    def __init__(self, heard: Recognised | None = WORDS, failures: int = 0, *, broken: bool = False) -> None:
        self._heard = heard
        self.failures = failures
        self._broken = broken
        self.projects: list[str] = []
        self.early_jobs: list[Job | None] = []

    def early(self, model: Recogniser, pcm: Pcm, project_id: str = "") -> Job:
        """What may be one."""
        assert model is MODEL
        loop = asyncio.get_running_loop()
        self.projects.append(project_id)
        return Job(model, pcm, loop, loop.create_future(), "early")

    async def final(self, model: Recogniser, pcm: Pcm, project_id: str = "", early: Job | None = None) -> Recognised:
        """A finished utterance."""
        assert model is MODEL
        self.early_jobs.append(early)
        self.projects.append(project_id)
        if len(pcm) == len(KNOWN_GOOD) and not self._broken:
            return WORDS
        if self.failures or self._broken:
            self.failures -= 1
            raise RuntimeError("Invalid input shape")
        assert self._heard is not None
        return self._heard

    async def interim(self, model: Recogniser, pcm: Pcm, project_id: str = "") -> Recognised | None:
        """One that goes on."""
        assert model is MODEL
        self.projects.append(project_id)
        assert len(pcm) == len(PCM)
        return self._heard


def believing(model: Model) -> BelievedRecognition:
    """What is tested, on a model."""
    return BelievedRecognition(model, MODEL, KNOWN_GOOD)


async def test_what_was_begun_early_goes_to_the_scheduler() -> None:
    """With the audio of the pause, and in the project's turn; whether it is believed is judged at the end."""
    model = Model()
    recognition = believing(model)
    begun = recognition.early(EndLikely(0, 9, PCM), "yours")
    assert len(begun.pcm) == len(PCM)
    assert (await recognition.final(NOISE, "yours", begun)).text == ""
    assert (model.early_jobs, model.projects) == ([begun], ["yours", "yours"])


async def test_words_of_speech_are_believed() -> None:
    """Detector and model agree."""
    assert await believing(Model()).final(SPEECH) == WORDS


async def test_the_model_s_turn_is_the_project_s() -> None:
    """Finals and interims wait in the turn of whose they are."""
    model = Model()
    await believing(model).final(SPEECH, "mine")
    await believing(model).interim(InterimDue(0, 9, PCM), "yours")
    assert model.projects == ["mine", "yours"]


async def test_words_of_noise_are_none() -> None:
    """The model says "You" to a click; the detector did not call it speech."""
    assert (await believing(Model()).final(NOISE)).text == ""


async def test_a_failure_is_tried_again() -> None:
    """Memory may have been short for a moment."""
    assert await believing(Model(failures=ATTEMPTS - 1)).final(SPEECH) == WORDS


async def test_what_the_model_cannot_take_holds_nobody_up() -> None:
    """A model that takes all else never will take it, and the speaker's next utterance is heard."""
    model = Model(failures=ATTEMPTS)
    recognition = believing(model)
    with pytest.raises(Unrecognisable):
        await recognition.final(SPEECH)
    assert await recognition.final(SPEECH) == WORDS


async def test_a_model_that_takes_nothing_says_nothing_about_a_segment() -> None:
    """It is the model that is away, and not the speech that has no words."""
    with pytest.raises(Unavailable):
        await believing(Model(broken=True)).final(SPEECH)


async def test_interim_texts_that_repeat_themselves_are_left_out() -> None:
    """A model that was caught in a loop shows it."""
    due = InterimDue(0, 9, PCM)
    stuck = replace(WORDS, text="so so so so so")
    assert await believing(Model()).interim(due) == WORDS
    assert await believing(Model(stuck)).interim(due) is None
    assert await believing(Model(None)).interim(due) is None
