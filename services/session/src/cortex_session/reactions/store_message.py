"""utterance.transcribed → a message of the session."""

import uuid

from cortex.transcriber.v1.events_pb2 import UtteranceTranscribed
from cortex_eventing.times import length_of, time_of

from cortex_session.domain.commands import Speaker, StoreUtterance, Words
from cortex_session.domain.ids import SessionId, message_of_utterance


def store_message(event: UtteranceTranscribed) -> StoreUtterance:
    """The message that an utterance becomes; the same for every repeat."""
    return StoreUtterance(
        message_id=message_of_utterance(event.utterance_id),
        session_id=SessionId(uuid.UUID(event.session_id)),
        speaker=Speaker(event.participant_id, event.external_user_id, event.display_name, event.peer_id, event.claim),
        words=Words(event.text, event.utterance_id, event.confidence, event.language, event.model),
        started_at=time_of(event.started_at),
        start_offset=length_of(event.start_offset),
        end_offset=length_of(event.end_offset),
        heard_at=time_of(event.heard_at) if event.HasField("heard_at") else None,
    )
