from itertools import pairwise
from pathlib import Path

import pytest
from cortex_transcriber.adapters.scripted_recogniser import ScriptedRecogniser, frames_heard, mark
from cortex_transcriber.adapters.soxr_resampler import SoxrResampler
from cortex_transcriber.speech.decoding import Pcm, to_float
from cortex_transcriber.speech.events import Event, SegmentReady
from cortex_transcriber.speech.plausibility import was_said
from cortex_transcriber.speech.recogniser import SAMPLE_RATE, Recogniser
from cortex_transcriber.speech.voice_detector import VoiceDetector

from services.transcriber.tests.hearing import Room, read_wav, word_error_rate

pytestmark = pytest.mark.model

READ = {
    "beckett.wav": "Ever tried. Ever failed. No matter. Try again. Fail again. Fail better.",
    "two_cities.wav": """It was the best of times, it was the worst of times, it was the age of wisdom, it was the age
        of foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the season of light, it was
        the season of darkness, it was the spring of hope, it was the winter of despair, we had everything before us,
        we had nothing before us, we were all going direct to heaven, we were all going direct the other way. In short,
        the period was so far like the present period that some of its noisiest authorities insisted on its being
        received, for good or for evil, in the superlative degree of comparison only.""",
}
BOUND = 0.06
"""Word errors over both readings, 131 words: six of them at most are wrong."""


@pytest.fixture(scope="module")
def readings(recordings: Path) -> dict[str, tuple[int, Pcm]]:
    """Rate and samples of each recording."""
    return {name: read_wav(recordings / name) for name in READ}


@pytest.fixture(scope="module")
def novel(readings: dict[str, tuple[int, Pcm]]) -> Pcm:
    """The longer reading at 16 kHz."""
    rate, pcm = readings["two_cities.wav"]
    resampler = SoxrResampler(rate)
    resampler.push(pcm[:0])
    return resampler.push(pcm)


def segments(events: list[Event]) -> list[SegmentReady]:
    """What is to be recognised."""
    return [event for event in events if isinstance(event, SegmentReady)]


def test_readings_are_heard_through_the_cuts(
    room: Room, silero: VoiceDetector, recogniser: Recogniser, readings: dict[str, tuple[int, Pcm]]
) -> None:
    """As a service hears them: in frames at 16 and 48 kHz, cut by the voice detector, each utterance by itself."""
    texts = []
    for rate, pcm in readings.values():
        stream = room.speaker(rate)
        cuts = segments(room.hear(stream, room.payloads(pcm, stream), silero))
        heard = [(recogniser.recognise(cut.samples), cut.stats) for cut in cuts]
        assert all(was_said(recognised, stats) for recognised, stats in heard)
        texts.append(" ".join(recognised.text for recognised, _ in heard))
    assert word_error_rate(" ".join(READ.values()), " ".join(texts)) <= BOUND


def test_a_whole_reading_is_heard_by_the_bare_model(
    recogniser: Recogniser, readings: dict[str, tuple[int, Pcm]]
) -> None:
    """Ten seconds in one piece, without service or cuts."""
    rate, pcm = readings["beckett.wav"]
    assert rate == SAMPLE_RATE
    heard = recogniser.recognise(to_float(pcm))
    assert word_error_rate(READ["beckett.wav"], heard.text) <= BOUND
    assert heard.confidence > 0.7


def test_a_restart_from_any_acknowledged_point_cuts_speech_the_same(
    room: Room, silero: VoiceDetector, novel: Pcm
) -> None:
    """With the real detector on a real voice: cuts after a restart are those of the uninterrupted run."""
    whole = room.speaker()
    payloads = room.payloads(novel, whole)
    events = room.hear(whole, payloads, silero)
    cuts = room.cuts(events)
    points = [cut.last_sequence for cut in segments(events) if cut.settles]
    assert len(points) >= 5
    for point in points:
        again = room.hear(room.speaker(start=point + 1), payloads[point + 1 :], silero)
        assert room.cuts(again) == [cut for cut in cuts if cut[0] > point]


def test_marked_speech_tells_which_frames_were_heard(room: Room, silero: VoiceDetector, novel: Pcm) -> None:
    """The scripted recogniser's texts cover exactly the frames of the segments, each once."""
    stream = room.speaker()
    events = room.hear(stream, room.payloads(mark(novel, 320, speaker=7), stream), silero)
    cuts = segments(events)
    texts = [ScriptedRecogniser().recognise(cut.samples).text for cut in cuts]
    expected = [(7, frame) for cut in cuts for frame in range(cut.first_sequence, cut.last_sequence + 1)]
    assert frames_heard(texts) == expected
    assert all(before < after for before, after in pairwise(expected))


def test_a_text_does_not_depend_on_when_it_is_recognised(recogniser: Recogniser, novel: Pcm) -> None:
    """The same audio gives the same text and confidence again, whatever was recognised in between."""
    first, second = to_float(novel[: 5 * SAMPLE_RATE]), to_float(novel[5 * SAMPLE_RATE : 9 * SAMPLE_RATE])
    before = recogniser.recognise(first)
    recogniser.recognise(second)
    assert recogniser.recognise(first) == before


def test_audio_of_any_length_is_bearable(recogniser: Recogniser, novel: Pcm) -> None:
    """From nothing at all, over less than a convolution needs, to the longest utterance."""
    for length in (0, 1, 100, 899, 900, 1_600, 15 * SAMPLE_RATE):
        assert recogniser.recognise(to_float(novel[SAMPLE_RATE : SAMPLE_RATE + length])).model == recogniser.name
