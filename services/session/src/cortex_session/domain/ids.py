"""Which aggregate is meant. What derives from an event has a derived id, so that a repeat meets the first."""

import uuid
from typing import NewType

SessionId = NewType("SessionId", uuid.UUID)
MessageId = NewType("MessageId", uuid.UUID)
AttendanceId = NewType("AttendanceId", uuid.UUID)

_MESSAGES = uuid.UUID("d1106778-d054-4180-bfeb-a7d5115ea6fb")  # our own namespaces; never changed
_ATTENDANCES = uuid.UUID("276b796a-e8d6-437c-b6ed-f66bae13e4c9")


def message_of_utterance(utterance_id: str) -> MessageId:
    """The message that an utterance becomes."""
    return MessageId(uuid.uuid5(_MESSAGES, f"utterance/{utterance_id}"))


def message_of_event(event_id: uuid.UUID) -> MessageId:
    """The system's message about an event."""
    return MessageId(uuid.uuid5(_MESSAGES, f"event/{event_id}"))


def attendance_of(session_id: SessionId, participant_id: str) -> AttendanceId:
    """A participant's presence in a session's room."""
    return AttendanceId(uuid.uuid5(_ATTENDANCES, f"{session_id}/{participant_id}"))
