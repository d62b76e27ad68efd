import numpy as np
import pytest
from cortex_transcriber.adapters.scripted_recogniser import ScriptedRecogniser, frames_heard, mark
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.unit

FRAME = 320
NOISE = np.random.default_rng(7).normal(scale=3_000, size=40 * FRAME).astype(np.int16)


def heard(pcm: np.ndarray) -> str:
    """What the recogniser says about 16-bit audio."""
    return ScriptedRecogniser().recognise(pcm.astype(np.float32) / 32_768).text


def test_the_text_names_the_speaker_and_every_frame() -> None:
    """A run of frames is told as one word."""
    assert heard(mark(NOISE, FRAME, speaker=9, first_frame=100)) == "9:100-139"


@given(st.integers(0, 39), st.integers(1, 40))
def test_a_cut_tells_exactly_its_own_whole_frames(first: int, count: int) -> None:
    """Whatever frames a segment consists of, its text stands for these and no others."""
    cut = mark(NOISE, FRAME, speaker=3)[first * FRAME : (first + count) * FRAME]
    assert frames_heard([heard(cut)]) == [(3, frame) for frame in range(first, min(40, first + count))]


def test_a_gap_is_told() -> None:
    """Frames that were lost are missing from the text."""
    marked = mark(NOISE, FRAME, speaker=1)
    marked[10 * FRAME : 12 * FRAME] = 0
    assert heard(marked) == "1:0-9 1:12-39"


def test_each_run_has_its_place() -> None:
    """Words are timed from the beginning of what is heard, to the frame."""
    marked = mark(NOISE, FRAME, speaker=1)
    marked[10 * FRAME : 12 * FRAME] = 0
    words = ScriptedRecogniser().recognise(marked[4 * FRAME :].astype(np.float32) / 32_768).words
    assert [(word.text, word.start) for word in words] == [("1:4-9", 0.0), ("1:12-39", 8 * 0.02)]


def test_audio_without_marks_says_nothing() -> None:
    """Silence and noise have no words."""
    assert heard(NOISE) == ""
    assert heard(NOISE[:0]) == ""


def test_a_mark_is_inaudible() -> None:
    """No sample changes by more than its lowest bit, so a voice detector hears the same."""
    difference = mark(NOISE, FRAME, speaker=65_535).astype(np.int32) - NOISE
    assert np.abs(difference).max() == 1
