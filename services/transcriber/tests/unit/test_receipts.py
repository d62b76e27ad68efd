"""When frames came in, as it is asked for while utterances are stored."""

import pytest
from cortex_transcriber.stream.receipts import Receipts

pytestmark = pytest.mark.unit

ZERO = 1_777_636_800.0
"""Seconds since 1970."""


def at(seconds: int) -> float:
    """So many seconds later."""
    return ZERO + seconds


@pytest.fixture
def receipts() -> Receipts:
    """Frames 10 to 29 came after one second, 30 to 49 after two, and those from 100 on after nine."""
    receipts = Receipts()
    for first, seconds in ((10, 1), (30, 2), (100, 9)):
        receipts.came(first, at(seconds))
    return receipts


@pytest.mark.parametrize(("sequence", "seconds"), [(10, 1), (29, 1), (30, 2), (99, 2), (100, 9), (5_000, 9)])
def test_a_frame_came_with_its_message(receipts: Receipts, sequence: int, seconds: int) -> None:
    """A message's time is that of all its frames, up to the next message's first."""
    assert receipts.of(sequence) == at(seconds)


def test_a_frame_from_before_the_first_came_no_earlier_than_it(receipts: Receipts) -> None:
    """What is not known is never dated too early, which would prove what was not so."""
    assert receipts.of(3) == at(1)


def test_what_is_done_with_is_forgotten(receipts: Receipts) -> None:
    """What is left still says when the next frame came."""
    receipts.forget_before(40)
    assert len(receipts) == 2
    assert receipts.of(40) == at(2)


def test_memory_does_not_grow_with_a_stream() -> None:
    """However long a peer is heard, only what is not done with is held."""
    receipts = Receipts()
    for sequence in range(10_000):
        receipts.came(sequence, at(sequence))
        receipts.forget_before(sequence - 50)
        assert len(receipts) <= 52


def test_without_a_frame_there_is_no_receipt() -> None:
    """Nothing is proof of nothing."""
    with pytest.raises(LookupError):
        Receipts().of(0)
