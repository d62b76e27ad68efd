"""A stream that is resumed in the middle is heard as if it had not been broken, whatever its format."""

import numpy as np
import pytest
from cortex_transcriber.speech.decoding import Pcm
from cortex_transcriber.speech.events import Event, QuietThrough, SegmentReady
from cortex_transcriber.speech.frames import AudioFormat, Encoding
from cortex_transcriber.speech.stream import SpeakerStream
from cortex_transcriber.stream.resuming import preroll_frames

from services.transcriber.tests.formats import payloads_of
from services.transcriber.tests.hearing import Room
from services.transcriber.tests.streaming import talk

pytestmark = pytest.mark.unit

EXACT = [
    AudioFormat(16_000, 20),
    AudioFormat(16_000, 10, Encoding.PCM_F32LE, channels=2),
]
TO_WITHIN_ROUNDING = [
    AudioFormat(8_000, 30, Encoding.MULAW),
    AudioFormat(24_000, 100),
    AudioFormat(44_100, 10, Encoding.PCM_F32LE),
    AudioFormat(48_000, 20, channels=2),
]
OPUS = AudioFormat(48_000, 20, Encoding.OPUS)


def segments(events: list[Event]) -> dict[tuple[int, int], Pcm]:
    """The audio of each, by its first and last frame."""
    return {
        (event.first_sequence, event.last_sequence): event.pcm for event in events if isinstance(event, SegmentReady)
    }


def resumed(room: Room, audio: AudioFormat, payloads: list[bytes], start: int) -> tuple[SpeakerStream, list[Event]]:
    """As after a reconnect: the bot sends some frames from before the point of resumption again."""
    stream = room.speaker_in(audio, start=start)
    first = max(0, start - preroll_frames(audio, stream._decoder.preroll_ms))
    for sequence in range(first, len(payloads)):
        stream.push(sequence, [payloads[sequence]])
    stream.end()
    return stream, room.listen(stream)


def largest_difference(room: Room, audio: AudioFormat) -> int:
    """Between the samples of segments of a whole stream and of one resumed at each point where it may be."""
    payloads = payloads_of(talk(8, (60, 45), (90, 120), (70, 50)), 16_000, audio)
    whole = room.speaker_in(audio)
    events = room.hear(whole, payloads)
    points = [cut.last_sequence for cut in events if isinstance(cut, SegmentReady) and cut.settles]
    points += [event.sequence for event in events if isinstance(event, QuietThrough)]
    assert len(segments(events)) == 3
    differences = [0]
    for point in points:
        _, again = resumed(room, audio, payloads, point + 1)
        expected = {cut: pcm for cut, pcm in segments(events).items() if cut[0] > point}
        heard = segments(again)
        assert list(heard) == list(expected)
        differences += [int(np.abs(heard[cut].astype(int) - pcm).max()) for cut, pcm in expected.items()]
    return max(differences)


@pytest.mark.parametrize("audio", EXACT, ids=str)
def test_what_is_not_converted_is_the_same_bit_for_bit(room: Room, audio: AudioFormat) -> None:
    """Nothing is needed from before the point of resumption."""
    assert room.speaker_in(audio)._decoder.preroll_ms == 0
    assert largest_difference(room, audio) == 0


@pytest.mark.parametrize("audio", TO_WITHIN_ROUNDING, ids=str)
def test_what_is_resampled_is_the_same_to_within_rounding(room: Room, audio: AudioFormat) -> None:
    """The pre-roll is all that a resampler remembers."""
    assert largest_difference(room, audio) <= 1


def test_opus_is_cut_the_same(room: Room) -> None:
    """The codec remembers longer than a resampler, but after the pre-roll hardly anything."""
    assert largest_difference(room, OPUS) <= 100


@pytest.mark.parametrize("audio", [*EXACT, *TO_WITHIN_ROUNDING, OPUS], ids=str)
def test_a_gap_moves_nothing(room: Room, audio: AudioFormat) -> None:
    """What follows lost frames, or a pause that was announced, is where its numbers say."""
    payloads = payloads_of(talk(8, (60, 45), (90, 120), (70, 50)), 16_000, audio)
    third = len(payloads) // 3
    stream = room.speaker_in(audio)
    stream.push(0, payloads[:third])
    stream.push(third + 3, payloads[third + 3 : 2 * third])
    stream.silent_through(2 * third + 9)
    stream.push(2 * third + 10, payloads[2 * third + 10 :])
    stream.end()
    assert stream._buffer.end == len(payloads) * audio.frame_samples
    assert (stream.counters.lost, stream.counters.silent) == (3, 10)
