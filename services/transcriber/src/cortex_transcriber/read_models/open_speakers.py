"""Who is in a room, as far as the events say? The sweep looks here for those whom no stream carries any more."""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from cortex.transcriber.v1.events_pb2 import SpeakerJoined, SpeakerLeft, UtteranceTranscribed
from cortex_eventing.projection import Projection
from cortex_eventing.read_model import ReadModel
from cortex_eventing.recorded import Recorded
from cortex_eventing.times import time_of
from cortex_eventing.uuids import uuid_of


@dataclass(frozen=True)
class OpenSpeaker:
    """A speaker who joined and has not left.

    Attributes:
        joined_at: by the numbering of its frames.
        heard_until: when its last stored utterance ended, by the same; `joined_at` before the first.
        stored_at: when its last event was stored, by the clock.
    """

    project_id: uuid.UUID
    speaker_id: uuid.UUID
    session_id: uuid.UUID
    peer_id: str
    joined_at: datetime
    heard_until: datetime
    stored_at: datetime


def project(row: OpenSpeaker | None, recorded: Recorded[Any]) -> OpenSpeaker | None:
    """The row after an event."""
    match recorded.event, row:
        case SpeakerJoined() as joined, _:
            return _opened(joined, recorded)
        case UtteranceTranscribed() as heard, OpenSpeaker():
            return replace(row, heard_until=time_of(heard.ended_at), stored_at=recorded.raw.recorded_at)
        case SpeakerLeft(), _:
            return None
    return row


def _opened(joined: SpeakerJoined, recorded: Recorded[Any]) -> OpenSpeaker:
    joined_at = time_of(joined.joined_at)
    return OpenSpeaker(
        project_id=uuid_of(recorded.project_id),
        speaker_id=recorded.raw.aggregate_id,
        session_id=uuid_of(joined.session_id),
        peer_id=joined.peer_id,
        joined_at=joined_at,
        heard_until=joined_at,
        stored_at=recorded.raw.recorded_at,
    )


OPEN_SPEAKERS: Final = ReadModel(
    table="open_speakers",
    row=OpenSpeaker,
    key=("speaker_id",),
    listens_to=(SpeakerJoined, UtteranceTranscribed, SpeakerLeft),
    key_of=lambda recorded: (recorded.raw.aggregate_id,),
    project=project,
)

PROJECTION: Final = Projection("speakers", (OPEN_SPEAKERS,))
