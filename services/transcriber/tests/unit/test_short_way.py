"""The short way by which nearly all frames are taken: it takes only what is simply next, and changes nothing."""

import pytest
from cortex_transcriber.speech.events import EndLikely, Event, InterimDue, SegmentReady
from cortex_transcriber.speech.frames import AudioFormat, Encoding
from cortex_transcriber.speech.gathering import MOST
from cortex_transcriber.speech.stream import SpeakerStream
from hypothesis import given, settings
from hypothesis import strategies as st

from services.transcriber.tests.hearing import Room
from services.transcriber.tests.streaming import payloads, talk

pytestmark = pytest.mark.unit

SAID = payloads(talk(3, (12, 40), (60, 40), (25, 30)))
RESAMPLED = [AudioFormat(48_000, 20), AudioFormat(8_000, 20, Encoding.MULAW), AudioFormat(16_000, 20, Encoding.OPUS)]
MESSAGES = st.lists(st.tuples(st.integers(1, 7), st.booleans(), st.integers(0, 3)), min_size=40, max_size=80)


@pytest.fixture
def speaker() -> SpeakerStream:
    """A peer that sends frames of 20 ms."""
    return Room().speaker()


@settings(max_examples=30, deadline=None)
@given(MESSAGES)
def test_it_is_heard_as_the_long_way_is(messages: list[tuple[int, bool, int]]) -> None:
    """Whatever the messages are like, some lost: the same events, numbers and counts, whenever anybody looks."""
    room, at = Room(), 0
    short, long = room.speaker(), room.speaker()
    heard, expected = list[Event](), list[Event]()
    for frames, looked_at, lost in messages:
        said = SAID[at : at + frames]
        if not short.gathering.take_next(at, said):
            short.push(at, said)
        long.push(at, said)
        at += frames + (lost == 3)
        if looked_at:
            heard += room.listen(short)
            expected += room.listen(long)
    for stream in short, long:
        stream.end()
    assert told(heard + room.listen(short)) == told(expected + room.listen(long))
    assert (short.counters, short.next_sequence) == (long.counters, long.next_sequence)


def told(events: list[Event]) -> list[tuple[Event, bytes]]:
    """Events with the audio that they carry."""
    return [
        (event, event.pcm.tobytes() if isinstance(event, InterimDue | EndLikely | SegmentReady) else b"")
        for event in events
    ]


def test_it_takes_nothing_but_the_next_frames(speaker: SpeakerStream) -> None:
    """What comes twice, too early, or behind a gap, is not for it, and nothing is counted."""
    assert speaker.gathering.take_next(0, SAID[:2])
    assert not speaker.gathering.take_next(1, SAID[1:3])
    assert not speaker.gathering.take_next(3, SAID[3:4])
    speaker.push(3, SAID[3:4])
    assert not speaker.gathering.take_next(2, SAID[2:3])
    assert (speaker.counters.heard, speaker.next_sequence) == (2, 2)


@pytest.mark.parametrize("wrong", [[b""], [SAID[0][:-2]], [SAID[0], SAID[0] + b"\0\0"], []], ids=len)
def test_it_takes_whole_frames_only(speaker: SpeakerStream, wrong: list[bytes]) -> None:
    """Sizes are looked at, of each frame."""
    assert not speaker.gathering.take_next(0, wrong)
    assert speaker.next_sequence == 0


def test_it_holds_little(speaker: SpeakerStream) -> None:
    """A peer that nobody looks at is soon asked how much room it has."""
    taken = 0
    while speaker.gathering.take_next(taken, SAID[:7]):
        taken += 7
    assert MOST - 7 < taken <= MOST


@pytest.mark.parametrize("audio", RESAMPLED, ids=str)
def test_decoders_with_a_memory_have_none(audio: AudioFormat) -> None:
    """Their frames are decoded one after another."""
    stream = Room().speaker_in(audio)
    assert not stream.gathering.take_next(0, [bytes(audio.frame_bytes or 40)])
