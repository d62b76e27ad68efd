"""Whether speech was spoken just now."""

import pytest
from cortex_transcriber.stream.ahead import CAUGHT_UP, Ahead

pytestmark = pytest.mark.unit

SECOND = 1_000


def test_who_speaks_without_a_pause_speaks_now() -> None:
    """For an hour, in the longest utterances."""
    ahead = Ahead()
    assert not any(ahead.said(15 * SECOND, at=float(at)) for at in range(100, 3_700, 15))


def test_what_was_held_back_for_a_moment_was_spoken_now() -> None:
    """So much may come at once, and then people go on speaking."""
    ahead = Ahead()
    assert not ahead.said(int(CAUGHT_UP) * SECOND, at=100.0)
    assert not ahead.said(5 * SECOND, at=106.0)


def test_minutes_of_speech_at_once_were_recorded() -> None:
    """From the utterance on that is too much, until time has caught up with them."""
    ahead = Ahead()
    assert [ahead.said(8 * SECOND, at=100.0) for _ in range(4)] == [False, False, True, True]
    assert ahead.recorded(at=100.0 + 32 - CAUGHT_UP - 1)
    assert not ahead.recorded(at=100.0 + 32 - CAUGHT_UP)


def test_silence_is_no_credit() -> None:
    """Who said nothing for an hour cannot send an hour at once."""
    ahead = Ahead()
    ahead.said(SECOND, at=100.0)
    assert ahead.said(60 * SECOND, at=3_700.0)


def test_a_clock_that_goes_back_harms_nobody() -> None:
    """As if no time had passed."""
    ahead = Ahead()
    ahead.said(10 * SECOND, at=100.0)
    assert not ahead.said(5 * SECOND, at=40.0)
