"""What is kept until it is acknowledged."""

import pytest
from cortex_client.unacknowledged import LOST, Unacknowledged, end_of

pytestmark = pytest.mark.unit


def kept(*payloads: bytes | None) -> Unacknowledged:
    frames = Unacknowledged(limit=10)
    for payload in payloads:
        frames.add(payload)
    return frames


def test_frames_are_sent_in_order_and_in_messages_of_bounded_size() -> None:
    """A message holds at most so many payloads; the next one starts where it ended."""
    frames = kept(b"0", b"1", b"2")
    first = frames.message(7, 0, most=2)
    assert first is not None
    assert (first.peer, first.first_sequence, list(first.payloads)) == (7, 0, [b"0", b"1"])
    second = frames.message(7, end_of(first), most=2)
    assert second is not None
    assert (second.first_sequence, list(second.payloads)) == (2, [b"2"])
    assert frames.message(7, end_of(second), most=2) is None


def test_silence_is_said_and_not_sent() -> None:
    """Silent frames travel as the number of the last one, behind the payloads before them."""
    frames = kept(b"0", None, None, b"3")
    message = frames.message(1, 0, most=9)
    assert message is not None
    assert (list(message.payloads), message.silent_through, end_of(message)) == ([b"0"], 2, 3)


def test_silence_alone_is_a_message() -> None:
    """A pause is reported although there is no payload in it."""
    message = kept(None, None).message(1, 0, most=9)
    assert message is not None
    assert (list(message.payloads), message.first_sequence, message.silent_through) == ([], 0, 1)


def test_lost_frames_are_neither_sent_nor_said_to_be_silent() -> None:
    """What follows them keeps its number."""
    frames = kept(b"0", LOST, b"2", None, LOST, LOST)
    first = frames.message(1, 0, most=9)
    assert first is not None
    assert (list(first.payloads), end_of(first)) == ([b"0"], 1)
    assert [frames.after_losses(start) for start in (0, 1, 2, 3)] == [0, 2, 2, 3]
    second = frames.message(1, 2, most=9)
    assert second is not None
    assert (second.first_sequence, list(second.payloads), second.silent_through) == (2, [b"2"], 3)
    assert frames.after_losses(4) == frames.next
    assert frames.message(1, 6, most=9) is None


def test_what_is_acknowledged_is_let_go() -> None:
    """The watermark moves forward only, and numbering goes on behind it."""
    frames = kept(b"0", b"1", b"2")
    frames.acknowledge(1)
    frames.acknowledge(0)
    assert (frames.first, len(frames), frames.next) == (2, 1, 3)


def test_an_acknowledgement_ahead_of_the_frames_covers_them_when_they_come() -> None:
    """A bot that starts again below the watermark does not pile up what is no longer needed."""
    frames = kept()
    frames.acknowledge(1)
    for payload in (b"0", b"1", b"2"):
        frames.add(payload)
    assert (frames.first, len(frames)) == (2, 1)


def test_it_is_full_at_its_limit() -> None:
    """The sender can tell when it has to wait."""
    frames = kept(*[b"x"] * 10)
    assert frames.is_full
    frames.acknowledge(0)
    assert not frames.is_full
