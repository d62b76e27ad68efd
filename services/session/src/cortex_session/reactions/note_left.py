"""speaker.left → one of the participant's peers is gone, and the system says so."""

import uuid

from cortex.transcriber.v1.events_pb2 import SpeakerLeft
from cortex_eventing.recorded import Recorded
from cortex_eventing.times import time_of

from cortex_session.domain.commands import NoteLeft
from cortex_session.domain.ids import SessionId, message_of_event


def note_left(recorded: Recorded[SpeakerLeft]) -> NoteLeft:
    """The visit that a peer's going ends; the same for every repeat."""
    event = recorded.event
    return NoteLeft(
        session_id=SessionId(uuid.UUID(event.session_id)),
        participant_id=event.participant_id,
        peer_id=event.peer_id,
        at=time_of(event.left_at),
        note_id=message_of_event(recorded.raw.event_id),
    )
