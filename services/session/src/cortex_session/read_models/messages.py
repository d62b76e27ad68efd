"""What was said in a session: in speaking order, and in the order of storing for those who watch?"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from cortex.session.v1.events_pb2 import MessageCreated
from cortex_eventing.read_model import Key, ReadModel
from cortex_eventing.recorded import Recorded
from cortex_eventing.times import length_of, time_of
from cortex_eventing.uuids import uuid_of


@dataclass(frozen=True)
class MessageRow:
    """A message; its fields mean what those of the event mean. `position` is where its event is stored."""

    project_id: uuid.UUID
    session_id: uuid.UUID
    message_id: uuid.UUID
    type: int
    participant_id: uuid.UUID
    external_user_id: str
    sender_name: str
    content: str
    said_at: datetime
    start_offset: timedelta
    end_offset: timedelta
    peer_id: str
    claim: int
    confidence: float
    language: str
    model: str
    utterance_id: str
    position: int


def project(row: MessageRow | None, recorded: Recorded[MessageCreated]) -> MessageRow | None:
    """The row after an event."""
    match recorded.event, row:
        case MessageCreated() as created, None:
            return _row(created, recorded)
    return row


def _row(created: MessageCreated, recorded: Recorded[MessageCreated]) -> MessageRow:
    return MessageRow(
        project_id=uuid_of(recorded.project_id),
        session_id=uuid_of(created.session_id),
        message_id=uuid_of(created.message_id),
        type=created.type,
        participant_id=uuid_of(created.participant_id),
        external_user_id=created.external_user_id,
        sender_name=created.sender_name,
        content=created.content,
        said_at=time_of(created.timestamp),
        start_offset=length_of(created.start_offset),
        end_offset=length_of(created.end_offset),
        peer_id=created.peer_id,
        claim=created.claim,
        confidence=created.confidence,
        language=created.language,
        model=created.model,
        utterance_id=created.utterance_id,
        position=recorded.position,
    )


def _key_of(recorded: Recorded[MessageCreated]) -> Key:
    return (uuid_of(recorded.event.message_id),)


MESSAGES = ReadModel(
    table="messages",
    row=MessageRow,
    key=("message_id",),
    listens_to=(MessageCreated,),
    key_of=_key_of,
    project=project,
)

PAGE = """
SELECT * FROM messages
WHERE project_id = %(project_id)s
  AND session_id = %(session_id)s
  AND (%(type)s = 0 OR type = %(type)s)
  AND (%(participant_id)s::uuid IS NULL OR participant_id = %(participant_id)s)
  AND (said_at, message_id) > (%(after_said_at)s, %(after_message_id)s)
ORDER BY said_at, message_id
LIMIT %(limit)s
"""
"""Messages after a place in speaking order; type 0 and a participant of NULL mean any."""

STORED_AFTER = """
SELECT * FROM messages
WHERE project_id = %(project_id)s
  AND session_id = %(session_id)s
  AND position > %(position)s
ORDER BY position
LIMIT %(limit)s
"""
"""Messages stored after a position, in the order of storing."""
