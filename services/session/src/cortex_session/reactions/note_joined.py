"""speaker.joined → the participant is in the room, and the system says so."""

import uuid

from cortex.transcriber.v1.events_pb2 import SpeakerJoined
from cortex_eventing.recorded import Recorded
from cortex_eventing.times import time_of

from cortex_session.domain.commands import NoteJoined, Speaker
from cortex_session.domain.ids import SessionId, message_of_event


def note_joined(recorded: Recorded[SpeakerJoined]) -> NoteJoined:
    """The visit that a peer's coming begins; the same for every repeat."""
    event = recorded.event
    return NoteJoined(
        session_id=SessionId(uuid.UUID(event.session_id)),
        speaker=Speaker(event.participant_id, event.external_user_id, event.display_name, event.peer_id, event.claim),
        at=time_of(event.joined_at),
        stored_at=recorded.raw.recorded_at,
        note_id=message_of_event(recorded.raw.event_id),
    )
