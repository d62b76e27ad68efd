"""Frames that come late, twice, or not at all."""

import random
from collections.abc import Iterable

import numpy as np
import pytest
from cortex_transcriber.speech.frames import AudioFormat, Encoding
from cortex_transcriber.speech.ordering import Counters, Heard, Lost, Ordering, Piece, Silent
from hypothesis import given
from hypothesis import strategies as st

from services.transcriber.tests.formats import payloads_of
from services.transcriber.tests.hearing import Room
from services.transcriber.tests.streaming import talk

pytestmark = pytest.mark.unit

AUDIO = AudioFormat(16_000, 20)
WAITED = 5


def ordering(start: int = 0, frame_ms: int = 20) -> tuple[Ordering, Counters]:
    """Of a peer whose first frame is `start`, with what it counts."""
    counters = Counters()
    return Ordering(AudioFormat(16_000, frame_ms), start, counters), counters


def frame(sequence: int) -> bytes:
    """A payload that can be told from others."""
    return b"%d" % sequence


def spelt(pieces: Iterable[Piece]) -> list[str]:
    """One word for each frame: its number, lost, or silent."""
    words = []
    for piece in pieces:
        match piece:
            case Heard(first, payloads):
                assert list(payloads) == [frame(first + i) for i in range(len(payloads))]
                words += [payload.decode() for payload in payloads]
            case Lost(frames):
                words += ["lost"] * frames
            case Silent(frames):
                words += ["silent"] * frames
    return words


def sent(made: Ordering, *sequences: int) -> list[str]:
    """What comes out when frames come in this order."""
    return spelt(piece for sequence in sequences for piece in made.frames(sequence, [frame(sequence)]))


def test_frames_in_order_go_through_at_once() -> None:
    """A message is one piece, and nothing is held."""
    made, counters = ordering(7)
    payloads = [frame(7), frame(8)]
    assert made.frames(7, payloads) == [Heard(7, payloads)]
    assert (made.next, made.holds, counters) == (9, 0, Counters(heard=2))


def test_a_late_frame_is_waited_for() -> None:
    """Those after it are held until it is there."""
    made, counters = ordering()
    assert sent(made, 0, 2, 3) == ["0"]
    assert made.holds == 2
    assert sent(made, 1) == ["1", "2", "3"]
    assert counters == Counters(heard=4, reordered=1)


def test_a_frame_that_does_not_come_is_given_up() -> None:
    """After 100 ms of later audio; should it come after all, it is counted and passed over."""
    made, counters = ordering()
    assert sent(made, 0, 2, 3, 4, 5) == ["0"]
    assert sent(made, 6) == ["lost", "2", "3", "4", "5", "6"]
    assert sent(made, 1, 7) == ["7"]
    assert counters == Counters(heard=7, lost=1, late=1)


def test_a_frame_that_comes_twice_is_heard_once() -> None:
    """Whether the first one is held or gone."""
    made, counters = ordering()
    assert sent(made, 0, 0, 2, 2, 1, 1, 2) == ["0", "1", "2"]
    assert counters == Counters(heard=3, reordered=1, duplicate=4)


def test_two_long_frames_may_change_places() -> None:
    """However long a frame is, one is waited for."""
    made, _ = ordering(frame_ms=100)
    assert sent(made, 1, 0, 3, 2) == ["0", "1", "2", "3"]


def test_a_long_gap_holds_little() -> None:
    """A pause that nobody announced: what is before it is given up at once, but for the last frames."""
    made, counters = ordering()
    made.frames(0, [frame(0)])
    assert made.frames(10**6, [frame(10**6)]) == [Lost(10**6 - WAITED)]
    assert made.holds == 1
    assert spelt(made.release())[-1] == str(10**6)
    assert counters == Counters(heard=2, lost=10**6 - 1)


class WhenSilent:
    def test_silence_goes_through_at_once(self) -> None:
        """An hour is one piece."""
        made, counters = ordering()
        assert made.silence(0, 179_999) == [Silent(180_000)]
        assert (made.next, made.holds, counters) == (180_000, 0, Counters(silent=180_000))

    def test_a_frame_before_a_short_silence_is_waited_for(self) -> None:
        """The word about silence may overtake a frame, too."""
        made, _ = ordering()
        assert made.silence(1, 2) == []
        assert spelt(made.frames(0, [frame(0)])) == ["0", "silent", "silent"]

    def test_a_frame_before_a_long_silence_is_lost(self) -> None:
        """It is late by more than is waited for."""
        made, _ = ordering()
        assert made.silence(1, 100) == [Lost(1), Silent(100)]

    def test_a_frame_that_was_sent_all_the_same_counts(self) -> None:
        """Sound is believed before a word about silence."""
        made, _ = ordering()
        made.frames(2, [frame(2)])
        assert spelt(made.silence(0, 3)) == ["silent", "silent", "2", "silent"]
        made.frames(6, [frame(6)])
        assert spelt(made.silence(4, 50))[:4] == ["silent", "silent", "6", "silent"]

    def test_silence_said_again_changes_nothing(self) -> None:
        """A number stands for one frame only."""
        made, counters = ordering()
        made.silence(0, 9)
        assert made.silence(3, 9) == []
        assert made.silence(5, 11) == [Silent(2)]
        assert counters == Counters(silent=12)


@given(
    order=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 4), st.booleans()), max_size=60),
    waiting_ends=st.sets(st.integers(0, 59), max_size=3),
)
def test_every_frame_is_accounted_for_once(order: list[tuple[int, int, bool]], waiting_ends: set[int]) -> None:
    """Whatever comes in whatever order: numbers go out in order, none twice, and little is held."""
    made, counters = ordering()
    words: list[str] = []
    for turn, (first, length, silent) in enumerate(order):
        payloads = [frame(first + i) for i in range(length)]
        words += spelt(made.silence(first, first + length - 1) if silent else made.frames(first, payloads))
        words += spelt(made.release()) if turn in waiting_ends else []
        assert made.holds <= WAITED
    words += spelt(made.release())
    assert len(words) == made.next == counters.heard + counters.lost + counters.silent
    assert all(word in (str(sequence), "lost", "silent") for sequence, word in enumerate(words))


@given(st.randoms(use_true_random=False))
def test_jitter_within_what_is_waited_for_changes_nothing(chance: random.Random) -> None:
    """Frames that change places, and come twice, are those of the undisturbed stream."""
    made, counters = ordering()
    jittered = sorted(
        list(range(60)) + chance.choices(range(60), k=10), key=lambda at: at + chance.uniform(0, WAITED - 1)
    )
    assert sent(made, *jittered) + spelt(made.release()) == [str(sequence) for sequence in range(60)]
    assert (counters.lost, counters.duplicate + counters.late) == (0, 10)


class WhenListenedTo:
    def test_jitter_moves_no_cut(self, room: Room) -> None:
        """The same segments, from the same samples."""
        speech = talk(3, (60, 40), (90, 60), (40, 50))
        straight, jittered = room.speaker(), room.speaker()
        payloads = room.payloads(speech, straight)
        expected = room.hear(straight, payloads)
        chance = np.random.default_rng(4)
        for sequence in sorted(range(len(payloads)), key=lambda at: at + chance.uniform(0, WAITED - 1)):
            jittered.push(sequence, [payloads[sequence]])
        jittered.end()
        heard = room.listen(jittered)
        assert room.cuts(heard) == room.cuts(expected)
        assert jittered.counters.reordered > 10

    def test_what_is_held_at_the_end_is_heard(self, room: Room) -> None:
        """A peer that leaves waits for nobody."""
        stream = room.speaker()
        payloads = room.payloads(talk(3, (60, 0)), stream)
        stream.push(0, payloads[:50])
        stream.push(51, payloads[51:54])
        assert stream.next_sequence == 50
        stream.end()
        assert stream.next_sequence == 54
        assert room.cuts(room.listen(stream))[0][1] >= 53

    @pytest.mark.parametrize(("missing", "guessed"), [(2, True), (5, True), (8, False)])
    def test_lost_opus_packets_are_guessed_as_long_as_that_helps(self, room: Room, missing: int, guessed: bool) -> None:
        """And the frames after them stand where they belong."""
        audio = AudioFormat(48_000, 20, Encoding.OPUS)
        tone = (9_000 * np.sin(2 * np.pi * 300 * np.arange(96_000) / 48_000)).astype(np.int16)
        payloads = payloads_of(tone, 48_000, audio)
        stream = room.speaker_in(audio)
        stream.push(0, payloads[:50])
        stream.push(50 + missing, payloads[50 + missing :])
        stream.end()
        assert stream._buffer.end == len(payloads) * 320
        hole = stream._buffer.view(50 * 320, (50 + missing) * 320)
        assert bool(np.abs(hole[-160:]).max() > 1_000) == guessed
        assert stream.counters.lost == missing

    def test_corrupt_packets_are_counted(self, room: Room) -> None:
        """Heard, but not understood."""
        stream = room.speaker_in(AudioFormat(48_000, 20, Encoding.OPUS))
        stream.push(0, [b"\x78", b"\x71" + b"\xff" * 41])
        assert (stream.counters.heard, stream.counters.corrupt) == (2, 1)
