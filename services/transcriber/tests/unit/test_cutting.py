from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from cortex_transcriber.speech.batching import VadBatcher
from cortex_transcriber.speech.decoding import Pcm
from cortex_transcriber.speech.events import EndLikely, Event, InterimDue, QuietThrough, SegmentReady, SpeechStarted
from cortex_transcriber.speech.segmenting import Segmenting
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.transcriber.tests.hearing import LoudnessDetector, Room

pytestmark = pytest.mark.unit

RATE = 16_000
LEVELS = {"silence": 0, "floor": 15, "murmur": 500, "speech": 6_000}
SPOKEN = st.lists(st.tuples(st.sampled_from(sorted(LEVELS)), st.integers(100, 3_500)), min_size=1, max_size=8)
FRAME_MS = st.sampled_from([10, 20, 30, 60, 100])
SHORT = Segmenting(endpoint_ms=300, end_padding_ms=100, start_padding_ms=150, max_utterance_ms=2_500, interim_ms=400)
PATIENT = Segmenting(endpoint_ms=2_500, end_padding_ms=900, start_padding_ms=0, min_speech_ms=0, max_utterance_ms=6_000)
PROPERTY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def sound(spoken: list[tuple[str, int]]) -> Pcm:
    """Noise of these levels and durations in milliseconds."""
    random = np.random.default_rng(len(spoken))
    pieces = [random.normal(scale=max(1, LEVELS[level]), size=ms * 16) * (LEVELS[level] > 0) for level, ms in spoken]
    return np.concatenate(pieces).astype(np.int16)


def told(events: list[Event]) -> list[tuple[Event, bytes]]:
    """Events with the audio that they carry."""
    return [
        (event, event.pcm.tobytes() if isinstance(event, InterimDue | EndLikely | SegmentReady) else b"")
        for event in events
    ]


def loud(events: list[Event]) -> list[Event]:
    """Everything but silence."""
    return [event for event in events if not isinstance(event, QuietThrough)]


def decided(events: list[Event]) -> list[Event]:
    """What must not wait: an interim that falls into a pause may come with the word after it, a likely end once the
    pause was looked at, and the beginning of speech is told to nobody.
    """
    return [event for event in events if not isinstance(event, InterimDue | EndLikely | SpeechStarted)]


def restarts(events: list[Event]) -> list[int]:
    """Every point from which a restart may happen: what is acknowledged once all before it is stored."""
    settled = [event.last_sequence for event in events if isinstance(event, SegmentReady) and event.settles]
    return sorted(settled + [event.sequence for event in events if isinstance(event, QuietThrough)])


@PROPERTY
@given(SPOKEN, FRAME_MS, st.integers(1, 40))
def test_however_frames_are_bundled_the_same_is_heard(
    room: Room, spoken: list[tuple[str, int]], frame_ms: int, at_once: int
) -> None:
    """One frame a message or forty, listened to at once or late: events and their audio are equal."""
    one = room.speaker(frame_ms=frame_ms, settings=SHORT)
    payloads = room.payloads(sound(spoken), one)
    expected = told(room.hear(one, payloads, at_once=1))
    assert told(room.hear(room.speaker(frame_ms=frame_ms, settings=SHORT), payloads, at_once=at_once)) == expected


@PROPERTY
@given(SPOKEN, FRAME_MS)
def test_chunks_wait_only_while_nothing_can_be_decided(
    room: Room, spoken: list[tuple[str, int]], frame_ms: int
) -> None:
    """Whoever listens when a stream is ready is told with the same frame as one who judges every chunk at once."""
    patient, eager = (room.speaker(frame_ms=frame_ms, settings=SHORT) for _ in range(2))
    batcher = VadBatcher(LoudnessDetector())
    for sequence, payload in enumerate(room.payloads(sound(spoken), patient)):
        patient.push(sequence, [payload])
        eager.push(sequence, [payload])
        at_once = [event for _, event in batcher.listen([eager])]
        assert told(decided(room.listen(patient))) == told(decided(at_once))


@PROPERTY
@given(SPOKEN, FRAME_MS, st.sampled_from([SHORT, PATIENT]))
@example(
    spoken=[*[("floor", 100)] * 4, ("floor", 1_609), ("speech", 1_464), ("floor", 2_392), ("speech", 100)],
    frame_ms=100,
    cutting=PATIENT,  # the stream ends in the pause, of which a restart hears more than the utterance took in
)
def test_a_restart_from_any_acknowledged_point_cuts_the_same(
    room: Room, spoken: list[tuple[str, int]], frame_ms: int, cutting: Segmenting
) -> None:
    """What follows an acknowledgement does not depend on what came before it, whatever ends an utterance."""
    whole = room.speaker(frame_ms=frame_ms, settings=cutting)
    payloads = room.payloads(sound(spoken), whole)
    events = room.hear(whole, payloads)
    for point in restarts(events):
        again = room.hear(room.speaker(frame_ms=frame_ms, settings=cutting, start=point + 1), payloads[point + 1 :])
        assert room.cuts(again) == [cut for cut in room.cuts(events) if cut[0] > point]


@PROPERTY
@given(SPOKEN, FRAME_MS, st.integers(0, 400))
def test_a_likely_end_that_comes_true_has_the_utterances_audio(
    room: Room, spoken: list[tuple[str, int]], frame_ms: int, early_ms: int
) -> None:
    """What begins in a pause is of the very samples that are cut if the pause lasts, or else of other frames."""
    cutting = replace(SHORT, endpoint_ms=400, early_ms=early_ms)
    stream = room.speaker(frame_ms=frame_ms, settings=cutting)
    events = room.hear(stream, room.payloads(sound(spoken), stream), at_once=1)
    likely = {(event.first_sequence, event.last_sequence): event for event in events if isinstance(event, EndLikely)}
    for event in events:
        if isinstance(event, SegmentReady) and (found := likely.get((event.first_sequence, event.last_sequence))):
            assert found.pcm.tobytes() == event.pcm.tobytes()
    assert early_ms or not likely


def test_a_pause_is_told_once_and_before_the_endpoint(room: Room) -> None:
    """Speech, a short pause, speech, and silence: two likely ends, of which the second comes true."""
    cutting = replace(SHORT, endpoint_ms=500, early_ms=250, interim_ms=0)
    stream = room.speaker(settings=cutting)
    spoken = [("floor", 500), ("speech", 600), ("floor", 400), ("speech", 600), ("floor", 1_500)]
    events = loud(room.hear(stream, room.payloads(sound(spoken), stream), at_once=1))
    assert [type(event) for event in events] == [SpeechStarted, EndLikely, EndLikely, SegmentReady]
    _, first, second, cut = events
    assert isinstance(first, EndLikely)
    assert isinstance(second, EndLikely)
    assert isinstance(cut, SegmentReady)
    assert first.first_sequence == second.first_sequence == cut.first_sequence
    assert first.last_sequence < second.last_sequence == cut.last_sequence


@PROPERTY
@given(SPOKEN, FRAME_MS)
def test_no_frame_is_in_two_segments(room: Room, spoken: list[tuple[str, int]], frame_ms: int) -> None:
    """Segments are whole frames in their order, silence is told in order, and the end accounts for every frame."""
    stream = room.speaker(frame_ms=frame_ms, settings=SHORT)
    payloads = room.payloads(sound(spoken), stream)
    events = room.hear(stream, payloads)
    cuts = room.cuts(events)
    assert all(first <= last for first, last in cuts)
    assert all(before[1] < after[0] for before, after in pairwise(cuts))
    points = restarts(events)
    assert points == sorted(set(points))
    assert points[-1] == len(payloads) - 1
    for event in events:
        if isinstance(event, SegmentReady):
            expected = b"".join(payloads[event.first_sequence : event.last_sequence + 1])
            assert event.pcm.tobytes() == expected


@PROPERTY
@given(SPOKEN, SPOKEN, FRAME_MS, st.integers(0, 400))
def test_announced_silence_is_heard_as_silence(
    room: Room, before: list[tuple[str, int]], after: list[tuple[str, int]], frame_ms: int, frames: int
) -> None:
    """A pause told by one number gives the cuts that frames of zeros give, however long it is."""
    sent, said = (room.speaker(frame_ms=frame_ms, settings=SHORT) for _ in range(2))
    head, tail = room.payloads(sound(before), sent), room.payloads(sound(after), sent)
    zeros = [bytes(sent.audio.frame_bytes)] * frames
    expected = room.hear(sent, head + zeros + tail)
    said.push(0, head)
    said.silent_through(len(head) + frames - 1)
    events = room.hear(said, tail)
    assert told(loud(events)) == told(loud(expected))
    assert room.quiet(events)[-1:] == room.quiet(expected)[-1:]
    assert set(room.quiet(events)) <= set(room.quiet(expected))


@given(SPOKEN)
@settings(max_examples=20, deadline=None)
def test_lost_frames_are_heard_as_silence(room: Room, spoken: list[tuple[str, int]]) -> None:
    """A gap in the numbers is as long as the frames that are missing."""
    stream, lossy = room.speaker(settings=SHORT), room.speaker(settings=SHORT)
    payloads = room.payloads(sound(spoken), stream)
    third = len(payloads) // 3
    zeros = [bytes(640)] * third
    expected = room.hear(stream, payloads[:third] + zeros + payloads[2 * third :])
    lossy.push(0, payloads[:third])
    lossy.push(2 * third, payloads[2 * third :])
    lossy.end()
    assert told(room.listen(lossy)) == told(expected)
    assert lossy.counters.lost == third


def test_a_day_of_announced_silence_costs_nothing(room: Room) -> None:
    """The cut after it is where it would be, and no memory was taken for the silence."""
    stream = room.speaker()
    payloads = room.payloads(sound([("silence", 1_000), ("speech", 1_000), ("silence", 1_000)]), stream)
    day = 24 * 3600 * 50
    events = room.hear(stream, payloads)
    stream.silent_through(day - 1)
    assert stream.nbytes < 1024 * 1024
    later = room.listen(stream) + room.hear(stream, payloads)
    assert room.cuts(later) == [(first + day, last + day) for first, last in room.cuts(events)]


def test_resent_frames_change_nothing(room: Room) -> None:
    """A bot that sends everything twice is heard once."""
    once, twice = room.speaker(), room.speaker()
    payloads = room.payloads(sound([("speech", 1_000), ("silence", 800), ("speech", 600), ("silence", 800)]), once)
    expected = told(room.hear(once, payloads))
    for at in range(0, len(payloads), 7):
        twice.push(max(0, at - 20), payloads[max(0, at - 20) : at + 7])
    twice.push(0, payloads)
    twice.end()
    assert told(room.listen(twice)) == expected


def test_a_frame_of_the_wrong_size_takes_nothing(room: Room) -> None:
    """The whole message is refused, the silence before it included."""
    stream = room.speaker()
    with pytest.raises(ValueError, match="payloads"):
        stream.push(10, [b"\0" * 640, b"\0" * 641])
    assert stream.next_sequence == 0
    assert not stream.ready


class TestAnUtterance:
    def test_takes_in_its_padding_and_ends_after_the_endpoint(self, room: Room) -> None:
        """Frames 50 to 99 are loud: the segment begins 100 ms before and ends 100 ms after them."""
        stream = room.speaker(settings=Segmenting(interim_ms=0, early_ms=0))
        events = room.hear(
            stream, room.payloads(sound([("silence", 1_000), ("speech", 1_000), ("silence", 900)]), stream)
        )
        assert [type(event) for event in events] == [SpeechStarted, SegmentReady, QuietThrough]
        assert room.cuts(events) == [(44, 105)]

    def test_never_takes_in_what_an_earlier_one_took(self, room: Room) -> None:
        """The padding of the second is what the first has left over."""
        stream = room.speaker(settings=SHORT)
        pause = [("speech", 800), ("silence", 330), ("speech", 800), ("silence", 900)]
        first, second = room.cuts(room.hear(stream, room.payloads(sound(pause), stream)))
        assert second[0] == first[1] + 1 or second[0] > first[1]

    def test_that_is_too_short_is_noise(self, room: Room) -> None:
        """A knock of 64 ms is told as silence."""
        stream = room.speaker()
        events = room.hear(stream, room.payloads(sound([("silence", 500), ("speech", 64), ("silence", 900)]), stream))
        assert room.cuts(events) == []
        assert room.quiet(events)[-1] == stream.next_sequence - 1

    def test_that_is_too_long_is_split_where_it_is_weakest(self, room: Room) -> None:
        """A dip that ends no utterance is where a long one is split; only the end settles."""
        speech = [("speech", 8_000), ("murmur", 96), ("speech", 9_000), ("silence", 900)]
        stream = room.speaker()
        events = [e for e in room.hear(stream, room.payloads(sound(speech), stream)) if isinstance(e, SegmentReady)]
        assert [event.settles for event in events] == [False, True]
        assert 8_000 <= stream.audio.ends_at_ms(events[0].last_sequence) <= 8_100
        assert events[1].first_sequence == events[0].last_sequence + 1

    def test_without_any_pause_settles_after_a_minute(self, room: Room) -> None:
        """A bot need not keep audio for ever because of somebody's music."""
        stream = room.speaker()
        events = [
            e
            for e in room.hear(stream, room.payloads(sound([("speech", 140_000)]), stream))
            if isinstance(e, SegmentReady)
        ]
        settled = [stream.audio.ends_at_ms(event.last_sequence) for event in events if event.settles]
        assert len(settled) >= 2
        assert all(later - earlier <= 75_000 for earlier, later in pairwise([0, *settled]))
        assert all(event.last_sequence - event.first_sequence < 750 for event in events)

    def test_is_told_in_between(self, room: Room) -> None:
        """An interim for each second of it, from the same first frame on."""
        stream = room.speaker()
        events = room.hear(
            stream, room.payloads(sound([("silence", 500), ("speech", 3_500), ("silence", 900)]), stream)
        )
        interims = [event for event in events if isinstance(event, InterimDue)]
        assert [event.last_sequence - event.first_sequence for event in interims] == pytest.approx(
            [50, 100, 150], abs=3
        )
        assert {event.first_sequence for event in interims} == {room.cuts(events)[0][0]}

    def test_that_the_peer_leaves_in_the_middle_of_ends_there(self, room: Room) -> None:
        """The last frame that came is the last of the segment."""
        stream = room.speaker()
        events = room.hear(stream, room.payloads(sound([("silence", 500), ("speech", 1_001)]), stream))
        assert room.cuts(events) == [(19, 74)]


class TestAfterARestart:
    def test_segments_begin_after_what_was_heard(self, room: Room) -> None:
        """Audio resent from before the last stored utterance is not heard twice."""
        speech = [("speech", 1_000), ("silence", 900)] * 3
        whole = room.speaker()
        payloads = room.payloads(sound(speech), whole)
        first, *rest = room.cuts(room.hear(whole, payloads))
        again = room.hear(room.speaker(heard_through=first[1]), payloads)
        assert room.cuts(again) == rest

    def test_a_segment_that_was_cut_otherwise_is_clipped(self, room: Room) -> None:
        """Of an utterance that was stored in part only the rest is heard."""
        stream = room.speaker(heard_through=30)
        events = room.hear(stream, room.payloads(sound([("speech", 1_000), ("silence", 900)]), stream))
        assert room.cuts(events) == [(31, 56)]

    @pytest.mark.parametrize("frame_ms", [10, 20, 60])
    def test_resampled_audio_is_the_same_after_its_pre_roll(self, room: Room, frame_ms: int) -> None:
        """The resampler is given 160 ms before the point of resumption and is exact from there on."""
        noise = np.random.default_rng(9).normal(scale=6_000, size=6 * 48_000).astype(np.int16)
        noise[2 * 48_000 : 4 * 48_000] = 0
        whole = room.speaker(48_000, frame_ms)
        payloads = room.payloads(noise, whole)
        events = [event for event in room.hear(whole, payloads) if isinstance(event, SegmentReady)]
        start = events[0].last_sequence + 1
        resumed = room.speaker(48_000, frame_ms, start=start)
        for sequence in range(start - -(-160 // frame_ms), start):
            resumed.push(sequence, [payloads[sequence]])
        again = [event for event in room.hear(resumed, payloads[start:]) if isinstance(event, SegmentReady)]
        assert room.cuts(again) == room.cuts(events[1:])
        difference = np.abs(again[0].pcm.astype(np.int32) - events[1].pcm)
        assert difference.max() <= 1  # of 32,768: what the resampler remembers from further back is rounded away
