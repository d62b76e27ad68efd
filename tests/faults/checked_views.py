"""What can be read: each table is the fold of its events, messages come in speaking order, nobody's words are lost."""

from collections.abc import Iterator, Mapping, Sequence

from cortex.identity.v1.events_pb2 import ParticipantCreated
from cortex.session.v1.events_pb2 import (
    MessageCreated,
    ParticipantJoined,
    ParticipantLeft,
    SessionCreated,
    SessionEnded,
)
from cortex.session.v1.resources_pb2 import MESSAGE_TYPE_USER, SESSION_STATUS_ENDED, Message
from cortex.transcriber.v1.events_pb2 import SpeakerJoined, SpeakerLeft, UtteranceTranscribed

from tests.faults.evidence import Evidence
from tests.faults.ledger import Ledger

Presence = SpeakerJoined | SpeakerLeft | ParticipantJoined | ParticipantLeft

PRESENCE: Mapping[str, Mapping[type[Presence], str]] = {
    "transcriber": {SpeakerJoined: "joined", SpeakerLeft: "left"},
    "session": {ParticipantJoined: "joined", ParticipantLeft: "left"},
}
"""The events by which each service says who comes and goes."""


def view_findings(ledger: Ledger, evidence: Evidence) -> Iterator[str]:
    """What is wrong with the lists of one project."""
    yield from _participants(ledger, evidence)
    yield from _sessions(ledger, evidence)
    created = evidence.events("session", MessageCreated, ledger.project_id)
    for session_id in {event.session_id for _, event in created} - ledger.spoken_in:
        yield f"session {session_id}: has messages, and nobody spoke in it"
    for session_id in sorted(ledger.spoken_in):
        for wrong in (*_messages(ledger, evidence, session_id), *_attendance(ledger, evidence, session_id)):
            yield f"session {session_id}: {wrong}"


def _participants(ledger: Ledger, evidence: Evidence) -> Iterator[str]:
    created = evidence.events("identity", ParticipantCreated, ledger.project_id)
    stored = [(event.participant_id, event.external_user_id, event.profile.display_name) for _, event in created]
    listed = [(each.id, each.external_user_id, each.display_name) for each in evidence.participants]
    if sorted(listed) != sorted(stored):
        yield f"{len(listed)} participants are listed, {len(stored)} were created"


def _sessions(ledger: Ledger, evidence: Evidence) -> Iterator[str]:
    created = evidence.events("session", SessionCreated, ledger.project_id)
    ended = {event.session_id for _, event in evidence.events("session", SessionEnded, ledger.project_id)}
    stored = [(event.session_id, event.external_room_id, event.session_id in ended) for _, event in created]
    listed = [(each.id, each.external_room_id, each.status == SESSION_STATUS_ENDED) for each in evidence.sessions]
    if sorted(listed) != sorted(stored):
        yield f"{len(listed)} sessions are listed, {len(stored)} were created, or their ends differ"


def _messages(ledger: Ledger, evidence: Evidence, session_id: str) -> Iterator[str]:
    listed = evidence.messages.get(session_id, ())
    offsets = [message.start_offset.ToTimedelta() for message in listed]
    if offsets != sorted(offsets):
        yield "messages are not in speaking order"
    created = evidence.events("session", MessageCreated, ledger.project_id)
    stored = [_as_listed(event) for _, event in created if event.session_id == session_id]
    if sorted(map(_bytes, listed)) != sorted(map(_bytes, stored)):
        yield f"{len(listed)} messages are listed, {len(stored)} were created, or they differ"
    yield from _every_utterance(ledger, evidence, session_id, listed)


def _every_utterance(ledger: Ledger, evidence: Evidence, session_id: str, listed: Sequence[Message]) -> Iterator[str]:
    """Each utterance is one message, with its words and its speaker."""
    spoken = [
        (each.utterance_id, each.participant_id, each.external_user_id, each.content)
        for each in listed
        if each.type == MESSAGE_TYPE_USER
    ]
    heard = [
        (event.utterance_id, event.participant_id, event.external_user_id, event.text)
        for _, event in evidence.events("transcriber", UtteranceTranscribed, ledger.project_id)
        if event.session_id == session_id
    ]
    if sorted(spoken) != sorted(heard):
        yield f"{len(heard)} utterances were heard, {len(spoken)} are messages, or their words or speakers differ"


def _attendance(ledger: Ledger, evidence: Evidence, session_id: str) -> Iterator[str]:
    """Whoever came and went did so once, in the eyes of both services, and is listed."""
    heard = _comings_and_goings(ledger, evidence, session_id, "transcriber")
    noted = _comings_and_goings(ledger, evidence, session_id, "session")
    if heard != noted:
        yield f"the transcriber saw {heard}, the session noted {noted}"
    visits = [visit for each in evidence.attendance.get(session_id, ()) for visit in each.visits]
    gone = [visit for visit in visits if visit.HasField("leave_time")]
    if (len(visits), len(gone)) != tuple(sum(verb == kind for _, verb in noted) for kind in ("joined", "left")):
        yield f"{len(visits)} visits are listed and {len(gone)} of them over, {noted} were noted"


def _comings_and_goings(ledger: Ledger, evidence: Evidence, session_id: str, service: str) -> list[tuple[str, str]]:
    """Peers and what they did, in the order of the service's store."""
    found = [
        (recorded.position, event.peer_id, verb)
        for kind, verb in PRESENCE[service].items()
        for recorded, event in evidence.events(service, kind, ledger.project_id)
        if event.session_id == session_id
    ]
    return [(peer_id, verb) for _, peer_id, verb in sorted(found)]


def _as_listed(event: MessageCreated) -> Message:
    """A message as its event says it."""
    message = Message(id=event.message_id)
    for field, value in event.ListFields():
        if field.name == "message_id":
            continue
        if field.message_type is None:
            setattr(message, field.name, value)
        else:
            getattr(message, field.name).CopyFrom(value)
    return message


def _bytes(message: Message) -> bytes:
    return message.SerializeToString(deterministic=True)
