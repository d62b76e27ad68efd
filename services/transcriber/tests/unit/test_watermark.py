import numpy as np
import pytest
from cortex_transcriber.speech.events import QuietThrough, SegmentReady
from cortex_transcriber.speech.segmenting import SpeechStats
from cortex_transcriber.speech.watermark import Watermark

pytestmark = pytest.mark.unit


def segment(first: int, last: int, *, settles: bool = True) -> SegmentReady:
    """A segment whose audio does not matter."""
    return SegmentReady(first, last, SpeechStats(1, 1, 1_000), settles, np.empty(0, dtype=np.int16))


def test_silence_is_acknowledged_at_once() -> None:
    """Nothing has to be stored for it."""
    watermark = Watermark(9)
    assert watermark.heard(QuietThrough(99))
    assert watermark.acknowledged == 99


def test_silence_after_an_utterance_waits_for_it() -> None:
    """What is acknowledged may be forgotten by the bot, so everything before must be durable."""
    watermark, spoken = Watermark(-1), segment(10, 60)
    assert not watermark.heard(spoken)
    assert not watermark.heard(QuietThrough(200))
    assert watermark.acknowledged == -1
    assert watermark.settled(spoken)
    assert watermark.acknowledged == 200


def test_utterances_stored_out_of_order_are_acknowledged_in_order() -> None:
    """A short utterance may be recognised before a long one that came first."""
    watermark, long, short = Watermark(-1), segment(0, 500), segment(520, 560)
    watermark.heard(long)
    watermark.heard(short)
    assert not watermark.settled(short)
    assert watermark.settled(long)
    assert watermark.acknowledged == 560


def test_a_piece_of_speech_that_goes_on_is_not_acknowledged() -> None:
    """A restart has to begin where the cuts repeat."""
    watermark, piece, end = Watermark(-1), segment(0, 500, settles=False), segment(501, 600)
    watermark.heard(piece)
    assert not watermark.settled(piece)
    watermark.heard(end)
    assert watermark.settled(end)
    assert watermark.acknowledged == 600
