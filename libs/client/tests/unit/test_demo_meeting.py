"""The meeting that comes with the demo."""

import array

import pytest
from cortex_client.demo.meeting import FRAME_MS, Meeting, load

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def meeting() -> Meeting:
    return load()


def loudness(frame: bytes | None) -> int:
    return max(map(abs, array.array("h", frame))) if frame else 0


def test_three_speak_and_one_of_them_at_48_khz(meeting: Meeting) -> None:
    """Both sample rates of the contract are heard."""
    assert sorted(speaker.sample_rate for speaker in meeting.speakers) == [16_000, 16_000, 48_000]
    assert {line.user_id for line in meeting.lines} == {speaker.user_id for speaker in meeting.speakers}


def test_frames_cover_the_meeting_and_have_one_size(meeting: Meeting) -> None:
    """Each sequence number stands for exactly the frame duration, to the end of the meeting."""
    for speaker in meeting.speakers:
        assert len(speaker.frames) * FRAME_MS >= meeting.duration_ms
        assert {len(frame) for frame in speaker.frames if frame is not None} == {speaker.sample_rate * FRAME_MS // 500}


def test_every_line_is_heard_where_the_script_says(meeting: Meeting) -> None:
    """The delays are counted from these times, so they must be those of the audio."""
    for speaker in meeting.speakers:
        for line in speaker.lines:
            first, last = (int(at * 1_000) // FRAME_MS for at in (line.starts, line.ends))
            assert max(map(loudness, speaker.frames[first : first + 10])) > 500, line
            assert max(map(loudness, speaker.frames[last - 10 : last + 1])) > 500, line


def test_nothing_is_sent_while_nobody_speaks(meeting: Meeting) -> None:
    """A voice server keeps its gate closed, which the bot reports as silence."""
    assert all(frame is None for speaker in meeting.speakers for frame in speaker.frames[-10:])
