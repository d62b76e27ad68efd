"""What the transcriber hears in a room becomes messages and attendance of the session, in the order it was heard.

One reader for all three events: somebody's joining is stored before their words, and their leaving after them. So once
this has read all that the transcriber stored, a session that has ended and in whose room nobody is left gets no further
message.
"""

from typing import Any

from cortex.transcriber.v1.events_pb2 import SpeakerJoined, SpeakerLeft, UtteranceTranscribed
from cortex_eventing.reactions import IGNORE, PARK, Reaction
from cortex_eventing.recorded import Recorded

from cortex_session.domain.commands import AttendanceCommand, StoreUtterance
from cortex_session.domain.errors import NEVER_JOINED, SESSION_ENDED, SESSION_NOT_FOUND
from cortex_session.reactions.note_joined import note_joined
from cortex_session.reactions.note_left import note_left
from cortex_session.reactions.store_message import store_message

RoomCommand = StoreUtterance | AttendanceCommand


def _command(recorded: Recorded[Any]) -> RoomCommand | None:
    match recorded.event:
        case UtteranceTranscribed() as event:
            return store_message(event)
        case SpeakerJoined():
            return note_joined(recorded)
        case SpeakerLeft():
            return note_left(recorded)
    return None


FOLLOW_SPEAKERS: Reaction[RoomCommand] = Reaction(
    name="follow-speakers",  # never renamed: its checkpoint and its request ids derive from it
    listens_to=(UtteranceTranscribed, SpeakerJoined, SpeakerLeft),
    command=_command,
    on_refusal={
        SESSION_ENDED: IGNORE,  # said after the end: nobody asked for it
        NEVER_JOINED: IGNORE,  # the join itself came after the end
        SESSION_NOT_FOUND: PARK,  # the transcriber asks us before it takes audio: somebody must look
    },
)
