"""How the speed of a plan is measured."""

import threading
from collections.abc import Sequence

import numpy as np
import pytest
from cortex_transcriber.speech.pacing import SLICE, pace
from cortex_transcriber.speech.planning import Plan
from cortex_transcriber.speech.recogniser import SAMPLE_RATE, Recognised, Samples
from cortex_transcriber.speech.specimen import LENGTHS, utterances

pytestmark = pytest.mark.unit

SECOND = np.zeros(SAMPLE_RATE, dtype=np.float32)
SPEECH = [SECOND, SECOND, np.concatenate((SECOND, SECOND))]


class Steady:
    """Takes 0.1 s of its own time for a second of speech, and 0.02 s for each call."""

    name, language, family, batch_size = "steady", "en", "steady", 1

    def __init__(self) -> None:
        self.time = 0.0
        self.calls: list[int] = []
        self.threads: set[int] = set()

    def clock(self) -> float:
        """Its time."""
        return self.time

    def recognise(self, samples: Samples) -> Recognised:
        """How long that was."""
        return self.recognise_batch([samples])[0]

    def recognise_batch(self, utterances: Sequence[Samples]) -> list[Recognised]:
        """How long each was."""
        self.threads.add(threading.get_ident())
        self.calls.append(len(utterances))
        self.time += 0.02 + sum(len(samples) / SAMPLE_RATE * 0.1 for samples in utterances)
        return [Recognised(str(len(samples)), 1.0, 1, "en", self.name) for samples in utterances]


class Broken(Steady):
    """Fails at the second thing it is asked."""

    def recognise_batch(self, utterances: Sequence[Samples]) -> list[Recognised]:
        """Once well."""
        if self.calls:
            raise MemoryError
        return super().recognise_batch(utterances)


def test_the_speed_is_that_of_the_slice() -> None:
    """What was recognised until the first end of a recognition after the slice; what came to warm up does not count."""
    model = Steady()
    measured = pace(model, Plan(1), SPEECH, model.clock)
    assert model.calls == [1] * 5
    assert model.time == pytest.approx(0.12 + 0.12 + 0.12 + 0.22 + 0.12)
    assert measured.speed == pytest.approx(5 / (0.12 + 0.12 + 0.22 + 0.12))
    assert measured.texts == {0: "16000", 1: "16000", 2: "32000"}
    assert SLICE == 0.5


def test_batches_are_handed_over_whole() -> None:
    """With their texts in the order of the utterances."""
    model = Steady()
    measured = pace(model, Plan(1, 1, 2), SPEECH, model.clock)
    assert set(model.calls) == {2}
    assert measured.texts == {0: "16000", 1: "16000", 2: "32000"}
    one_by_one = Steady()
    assert measured.speed > pace(one_by_one, Plan(1), SPEECH, one_by_one.clock).speed


def test_every_worker_recognises() -> None:
    """Each on a thread of its own, at the same time."""
    model = Steady()
    pace(model, Plan(3), SPEECH, model.clock)
    assert len(model.threads) == 3


def test_a_model_that_fails_is_told_and_nobody_waits_for_ever() -> None:
    """The other worker, which was warm already, gives up; what is raised is what went wrong."""
    model = Broken()
    with pytest.raises(MemoryError):
        pace(model, Plan(2), SPEECH, model.clock)


def test_the_specimen_is_always_the_same() -> None:
    """Of the lengths that people's utterances have, and no louder than people are."""
    first, second = utterances(), utterances()
    assert [len(samples) / SAMPLE_RATE for samples in first] == list(LENGTHS)
    assert all((one == other).all() for one, other in zip(first, second, strict=True))
    assert all(0.2 < np.abs(samples).max() < 0.5 for samples in first)
    assert np.median(LENGTHS) == 2.4
