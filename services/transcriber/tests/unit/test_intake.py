"""Which frames of a peer are taken, passed over, and refused."""

import pytest
from cortex.transcriber.v1.transcriber_service_pb2 import Frames
from cortex_transcriber.speech.frames import AudioFormat
from cortex_transcriber.stream.intake import FramesRefused, Intake, Taken
from cortex_transcriber.stream.limits import Limits

pytestmark = pytest.mark.unit

AUDIO = AudioFormat(16_000, 20)
FRAME = bytes(AUDIO.frame_bytes)
WEEK = 7 * 24 * 3600 * 50


def intake(first_needed: int = 0, sent: int = 0, acknowledged: int | None = None) -> Intake:
    """An intake that took so many frames, and acknowledged some of them."""
    made = Intake(AUDIO, first_needed, Limits())
    if sent:
        made.take(frames(first_needed, sent))
    if acknowledged is not None:
        made.acknowledged = acknowledged
    return made


def frames(first: int, count: int = 1, silent_through: int | None = None, payload: bytes = FRAME) -> Frames:
    """So many frames."""
    return Frames(peer=1, first_sequence=first, payloads=[payload] * count, silent_through=silent_through)


class WhenInOrder:
    def test_frames_are_taken_as_they_come(self) -> None:
        """A message says where it begins; what follows is numbered on."""
        peer = intake()
        assert peer.take(frames(0, 3)) == Taken(0, [FRAME] * 3, None)
        assert peer.take(frames(3, 2)) == Taken(3, [FRAME] * 2, None)
        assert peer.expected == 5

    def test_a_gap_is_taken(self) -> None:
        """Lost frames are lost: what comes after them counts."""
        assert intake(sent=3).take(frames(10, 2)) == Taken(10, [FRAME] * 2, None)

    def test_silence_may_follow_frames_or_stand_alone(self) -> None:
        """A pause is a number, not payloads."""
        peer = intake()
        assert peer.take(frames(0, 2, silent_through=50)) == Taken(0, [FRAME] * 2, 50)
        assert peer.take(frames(51, 0, silent_through=60)) == Taken(51, [], 60)
        assert peer.expected == 61

    def test_a_pause_of_days_is_taken(self) -> None:
        """A bot may stay silent about a silent peer."""
        assert intake(sent=1).take(frames(WEEK, 1)) is not None


class WhenAcknowledged:
    def test_resent_frames_are_passed_over_and_counted(self) -> None:
        """A bot that resends too much does no harm."""
        peer = intake(first_needed=100)
        assert peer.take(frames(90, 10)) is None
        assert peer.ignored == 10

    def test_the_new_part_of_a_message_is_taken(self) -> None:
        """What is acknowledged is cut off."""
        peer = intake(first_needed=100)
        assert peer.take(frames(95, 10)) == Taken(100, [FRAME] * 5, None)
        assert peer.take(frames(105, 0, silent_through=110)) == Taken(105, [], 110)
        peer.acknowledged = 110
        assert peer.take(frames(100, 0, silent_through=120)) == Taken(111, [], 120)

    def test_what_is_not_acknowledged_may_come_late_or_twice(self) -> None:
        """It is not known here what was lost; whoever listens knows."""
        peer = intake(sent=10, acknowledged=3)
        assert peer.take(frames(2, 10)) == Taken(4, [FRAME] * 8, None)
        assert peer.take(frames(5, 1)) == Taken(5, [FRAME], None)
        assert peer.expected == 12


class WhenWrong:
    @pytest.mark.parametrize(
        ("message", "field"),
        [
            (frames(0, 1, payload=b""), "frames.payloads[0]"),
            (frames(0, 1, payload=bytes(641)), "frames.payloads[0]"),
            (frames(0, 1, payload=bytes(320)), "frames.payloads[0]"),
            (frames(0, 1, payload=bytes(20_000)), "frames.payloads[0]"),
            (Frames(first_sequence=0, payloads=[FRAME, FRAME, b"x"]), "frames.payloads[2]"),
            (frames(0, 101), "frames.payloads"),
            (frames(0, 0), "frames.payloads"),
            (frames(-1, 1), "frames.first_sequence"),
            (frames(2**63 - 100, 50), "frames.first_sequence"),
            (frames(0, 5, silent_through=3), "frames.silent_through"),
            (frames(9, 0, silent_through=8), "frames.silent_through"),
            (frames(0, 0, silent_through=2**63 - 1), "frames.silent_through"),
        ],
        ids=[
            "empty",
            "odd-sized",
            "short",
            "oversized",
            "the third",
            "too many",
            "none",
            "negative",
            "far ahead",
            "silence that was sound",
            "silence backwards",
            "silence for ever",
        ],
    )
    def test_the_field_is_named_and_nothing_is_taken(self, message: Frames, field: str) -> None:
        """Whoever wrote the bot learns what to mend; the frames after it count as if it had not come."""
        peer = intake()
        with pytest.raises(FramesRefused) as refusal:
            peer.take(message)
        assert refusal.value.field == field
        assert peer.take(frames(0, 1)) == Taken(0, [FRAME], None)
