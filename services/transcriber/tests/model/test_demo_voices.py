import numpy as np
import pytest
from cortex_client.demo.meeting import MeetingSpeaker, load
from cortex_client.demo.words import WordErrors, word_errors
from cortex_transcriber.speech.events import SegmentReady
from cortex_transcriber.speech.plausibility import was_said
from cortex_transcriber.speech.recogniser import Recogniser
from cortex_transcriber.speech.voice_detector import VoiceDetector

from services.transcriber.tests.hearing import Room

pytestmark = pytest.mark.model

BOUND = 0.08
"""Word errors over all speakers; the demo itself allows 0.12."""


def texts(speaker: MeetingSpeaker, room: Room, silero: VoiceDetector, recogniser: Recogniser) -> list[str]:
    """What the service would hear of one speaker, pauses announced as the demo's bot does."""
    stream = room.speaker(speaker.sample_rate)
    for sequence, frame in enumerate(speaker.frames):
        if frame is None:
            stream.silent_through(sequence)
        else:
            stream.push(sequence, [frame])
    stream.end()
    cuts = [event for event in room.listen(stream, silero) if isinstance(event, SegmentReady)]
    heard = [(recogniser.recognise(cut.samples), cut.stats) for cut in cuts]
    return [recognised.text for recognised, stats in heard if was_said(recognised, stats)]


def test_the_meeting_is_understood(room: Room, silero: VoiceDetector, recogniser: Recogniser) -> None:
    """Three voices, two rates: nearly every word arrives."""
    errors = WordErrors(0, 0)
    for speaker in load().speakers:
        errors += word_errors((line.text for line in speaker.lines), texts(speaker, room, silero, recogniser))
    assert errors.words > 100
    assert errors.rate <= BOUND


def test_the_script_knows_where_speech_is() -> None:
    """A line's first and last millisecond can be heard, and there is silence between a speaker's lines."""
    for speaker in load().speakers:
        pcm = np.abs(np.frombuffer(speaker.pcm, dtype="<i2").astype(np.int32))
        spoken = np.zeros(len(pcm), dtype=bool)
        for line in speaker.lines:
            first, last = (round(at * speaker.sample_rate) for at in (line.starts, line.ends))
            edge = speaker.sample_rate // 50
            assert pcm[first : first + edge].max() > 60
            assert pcm[last - edge : last].max() > 60
            spoken[max(0, first - edge) : last + edge] = True
        assert pcm[~spoken].max() < 100
