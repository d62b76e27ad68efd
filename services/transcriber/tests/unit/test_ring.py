import numpy as np
import pytest
from cortex_transcriber.speech.ring import LARGEST, SMALLEST, AudioBuffer, BufferFull
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.unit

STEPS = st.lists(st.tuples(st.integers(0, 20_000), st.booleans(), st.integers(0, 25_000)), max_size=30)


def ramp(start: int, length: int) -> np.ndarray:
    """Samples that tell their position."""
    return (np.arange(start, start + length) % 30_011).astype(np.int16)


@given(STEPS)
def test_what_is_held_is_what_was_written(steps: list[tuple[int, bool, int]]) -> None:
    """Growing, moving and shrinking never change a sample or its position."""
    buffer, written = AudioBuffer(), np.empty(0, dtype=np.int16)
    for length, silent, dropped in steps:
        added = np.zeros(length, dtype=np.int16) if silent else ramp(buffer.end, length)
        if silent:
            buffer.append_silence(length)
        else:
            buffer.append(added)
        written = np.concatenate([written, added])
        buffer.drop_before(buffer.start + dropped)
        assert buffer.end == len(written)
        assert np.array_equal(buffer.view(buffer.start, buffer.end), written[buffer.start :])


def test_a_silent_peer_holds_little_memory() -> None:
    """After a long utterance has gone, the memory goes too."""
    buffer = AudioBuffer()
    buffer.append(ramp(0, 500_000))
    buffer.drop_before(499_000)
    assert buffer.nbytes == SMALLEST * 2 <= 64 * 1024


def test_it_never_holds_more_than_its_bound() -> None:
    """A sender that nobody slows down gets an error, and what was there before stays."""
    buffer = AudioBuffer()
    buffer.append(ramp(0, LARGEST - 10))
    with pytest.raises(BufferFull):
        buffer.append(ramp(0, 11))
    assert (buffer.end, buffer.room) == (LARGEST - 10, 10)
    assert buffer.nbytes <= 4 * 1024 * 1024


def test_what_was_dropped_cannot_be_read() -> None:
    """A range outside of what is held is a mistake of the caller."""
    buffer = AudioBuffer()
    buffer.append(ramp(0, 100))
    buffer.drop_before(50)
    with pytest.raises(IndexError):
        buffer.view(49, 60)
