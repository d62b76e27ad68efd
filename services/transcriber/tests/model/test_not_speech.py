import pytest
from cortex_transcriber.speech.events import SegmentReady
from cortex_transcriber.speech.plausibility import was_said
from cortex_transcriber.speech.recogniser import Recogniser
from cortex_transcriber.speech.voice_detector import VoiceDetector

from scripts.speech.sounds import SOUNDS, pcm_of
from services.transcriber.tests.hearing import Room

pytestmark = pytest.mark.model


@pytest.mark.parametrize("name", SOUNDS)
def test_nothing_is_heard_in(name: str, room: Room, silero: VoiceDetector, recogniser: Recogniser) -> None:
    """A sound that is not speech has no words, whatever the model would make of it."""
    pcm = pcm_of(SOUNDS[name]())
    stream = room.speaker()
    events = room.hear(stream, room.payloads(pcm, stream), silero)
    heard = [(recogniser.recognise(cut.samples), cut.stats) for cut in events if isinstance(cut, SegmentReady)]
    assert [recognised.text for recognised, stats in heard if was_said(recognised, stats)] == []
