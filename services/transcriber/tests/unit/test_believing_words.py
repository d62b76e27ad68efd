"""Which words of the model become utterances."""

from dataclasses import replace

import numpy as np
import pytest
from cortex_transcriber.speech.events import InterimDue, SegmentReady
from cortex_transcriber.speech.recogniser import Recognised, Samples
from cortex_transcriber.speech.segmenting import SpeechStats
from cortex_transcriber.stream.recognising import BelievedRecognition

pytestmark = pytest.mark.unit

PCM = np.zeros(3200, dtype=np.int16)
SPEECH = SegmentReady(0, 9, SpeechStats(0.95, 1.0, 200), settles=True, pcm=PCM)
NOISE = replace(SPEECH, stats=SpeechStats(0.4, 0.6, 200))
WORDS = Recognised("Good morning.", 0.9, 4, "en", "tiny")


class Model:
    """Says what it is told to, or fails so often."""

    def __init__(self, heard: Recognised | None = WORDS, failures: int = 0) -> None:
        self._heard = heard
        self.failures = failures

    async def final(self, samples: Samples) -> Recognised:
        """A finished utterance."""
        assert len(samples) == len(PCM)
        if self.failures:
            self.failures -= 1
            raise RuntimeError("Invalid input shape")
        assert self._heard is not None
        return self._heard

    async def interim(self, samples: Samples) -> Recognised | None:
        """One that goes on."""
        assert len(samples) == len(PCM)
        return self._heard


async def test_words_of_speech_are_believed() -> None:
    """Detector and model agree."""
    assert await BelievedRecognition(Model(), "tiny").final(SPEECH) == WORDS


async def test_words_of_noise_are_none() -> None:
    """The model says "You" to a click; the detector did not call it speech."""
    assert (await BelievedRecognition(Model(), "tiny").final(NOISE)).text == ""


async def test_a_failure_is_tried_again() -> None:
    """Memory may have been short for a moment."""
    assert await BelievedRecognition(Model(failures=1), "tiny").final(SPEECH) == WORDS


async def test_what_the_model_cannot_take_holds_nobody_up() -> None:
    """It has no words, and the speaker's next utterance is heard."""
    model = Model(failures=2)
    recognition = BelievedRecognition(model, "tiny")
    assert (await recognition.final(SPEECH)).text == ""
    assert await recognition.final(SPEECH) == WORDS


async def test_interim_texts_that_repeat_themselves_are_left_out() -> None:
    """A model that was caught in a loop shows it."""
    due = InterimDue(0, 9, PCM)
    stuck = replace(WORDS, text="so so so so so")
    assert await BelievedRecognition(Model(), "tiny").interim(due) == WORDS
    assert await BelievedRecognition(Model(stuck), "tiny").interim(due) is None
    assert await BelievedRecognition(Model(None), "tiny").interim(due) is None
