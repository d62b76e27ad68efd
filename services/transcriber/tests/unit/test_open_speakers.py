"""Who is in a room, folded from events."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from cortex.transcriber.v1.events_pb2 import SpeakerJoined, SpeakerLeft, UtteranceTranscribed
from cortex_eventing.recorded import Origin, Recorded, RecordedBytes
from cortex_eventing.times import stamp
from cortex_transcriber.read_models.open_speakers import OpenSpeaker, project

pytestmark = pytest.mark.unit

PROJECT = uuid.UUID("018f0000-0000-7000-8000-0000000000aa")
SESSION = uuid.UUID("018f0000-0000-7000-8000-000000000001")
SPEAKER = uuid.UUID("018f0000-0000-7000-8000-000000000002")
AT = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
LATER = AT + timedelta(seconds=30)
JOINED = SpeakerJoined(session_id=str(SESSION), peer_id="peer-1", joined_at=stamp(AT))
HEARD = UtteranceTranscribed(session_id=str(SESSION), peer_id="peer-1", ended_at=stamp(LATER))
ROW = OpenSpeaker(PROJECT, SPEAKER, SESSION, "peer-1", AT, AT, AT)


def fold(row: OpenSpeaker | None, event: SpeakerJoined | UtteranceTranscribed | SpeakerLeft) -> OpenSpeaker | None:
    """The row after an event that was stored at its own time."""
    stored_at = LATER if isinstance(event, UtteranceTranscribed) else AT
    raw = RecordedBytes(uuid.uuid4(), 1, 0, "", SPEAKER, 1, stored_at, Origin(str(PROJECT)), b"")
    return project(row, Recorded(event, raw))


def test_who_joined_is_there() -> None:
    """Since the time that its frames say."""
    assert fold(None, JOINED) == ROW


def test_an_utterance_is_a_sign_of_life() -> None:
    """By its end, and by when it was stored."""
    assert fold(ROW, HEARD) == OpenSpeaker(PROJECT, SPEAKER, SESSION, "peer-1", AT, LATER, LATER)


def test_who_left_is_gone() -> None:
    """And a late utterance brings nobody back: whoever is there again joins again."""
    assert fold(ROW, SpeakerLeft()) is None
    assert fold(None, HEARD) is None
