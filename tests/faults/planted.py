"""A small world that is in order, and ways to put one thing in it out of order: the checker must find each."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from cortex.common.v1.feed_pb2 import RecordedEvent
from cortex.identity.v1.events_pb2 import ParticipantCreated
from cortex.identity.v1.resources_pb2 import Participant
from cortex.session.v1.events_pb2 import (
    MessageCreated,
    ParticipantJoined,
    ParticipantLeft,
    SessionCreated,
    SessionEnded,
)
from cortex.session.v1.resources_pb2 import (
    MESSAGE_TYPE_USER,
    SESSION_STATUS_ENDED,
    Attendance,
    PeerVisit,
    Session,
)
from cortex.session.v1.resources_pb2 import Message as Said
from cortex.transcriber.v1.events_pb2 import SpeakerJoined, SpeakerLeft, UtteranceTranscribed
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from tests.faults.evidence import Evidence, published
from tests.faults.ledger import Cut, Final, Ledger, Peer, Taken

PROJECT = "11111111-1111-4111-8111-111111111111"
SESSION = "session-1"
PEER = Peer(SESSION, "connection-of-ada")
EXPECTED = {"ada": [Cut(0, 9, "1:0-9"), Cut(20, 29, "1:20-29")]}


@dataclass
class Store:
    """Events as a service would store them; every third position is lost to a rolled-back append."""

    events: list[RecordedEvent] = field(default_factory=list)

    def add(self, aggregate_id: str, event: Message) -> "Store":
        """One event more."""
        before = self.events[-1].position if self.events else 0
        self.events.append(
            RecordedEvent(
                id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"{aggregate_id} {len(self.events)}")),
                position=before + (2 if before % 3 == 1 else 1),
                previous_position=before,
                topic=event.DESCRIPTOR.full_name,
                project_id=PROJECT,
                aggregate_id=aggregate_id,
                version=1 + sum(each.aggregate_id == aggregate_id for each in self.events),
                data=event.SerializeToString(),
            )
        )
        return self


def world(
    transcriber: Iterable[tuple[str, Message]] | None = None, session: Iterable[tuple[str, Message]] | None = None
) -> tuple[Ledger, Evidence]:
    """Ada came, said two things in a session and left; the session was stopped. Other events may be put in place."""
    identity = Store().add("ada-1", ParticipantCreated(participant_id="ada-1", external_user_id="ada"))
    heard = stored(spoken() if transcriber is None else transcriber)
    kept = stored(noted() if session is None else session)
    stores = {"identity": identity.events, "session": kept, "transcriber": heard}
    evidence = Evidence(
        stores=stores,
        streams={service: [published(event) for event in events] for service, events in stores.items()},
        followed={service: [event.id for event in events] for service, events in stores.items()},
        participants=[Participant(id="ada-1", external_user_id="ada")],
        sessions=[Session(id=SESSION, external_room_id="room", status=SESSION_STATUS_ENDED)],
        messages={SESSION: [as_read(number, cut) for number, cut in enumerate(EXPECTED["ada"])]},
        attendance={SESSION: [Attendance(visits=[PeerVisit(peer_id=PEER.peer_id, leave_time=Timestamp(seconds=9))])]},
    )
    return told(), evidence


def stored(events: Iterable[tuple[str, Message]]) -> list[RecordedEvent]:
    """Events, each with its aggregate, as a store holds them."""
    store = Store()
    for aggregate_id, event in events:
        store.add(aggregate_id, event)
    return store.events


def told() -> Ledger:
    """What Ada's bot and the callers were told."""
    ledger = Ledger(PROJECT)
    ledger.participant("ada", Taken("ada-1", "request-1", created=True))
    ledger.participant("ada", Taken("ada-1", "request-2", created=False))
    ledger.session("room", "request-3", SESSION)
    ledger.stop(SESSION)
    ledger.is_resolved(PEER, "ada", "ada-1")
    utterances = stored(spoken())[1:3]
    for number, (cut, event) in enumerate(zip(EXPECTED["ada"], utterances, strict=True)):
        ledger.final(Final(PEER, f"utterance-{number}", cut, event.position))
    ledger.acknowledge(PEER, 39)
    ledger.played[PEER] = 39
    return ledger


def spoken() -> list[tuple[str, Message]]:
    """The transcriber's events."""
    utterances = [utterance(number, cut) for number, cut in enumerate(EXPECTED["ada"])]
    joined = SpeakerJoined(session_id=SESSION, peer_id=PEER.peer_id)
    left = SpeakerLeft(session_id=SESSION, peer_id=PEER.peer_id)
    return [("speaker", event) for event in (joined, *utterances, left)]


def utterance(number: int, cut: Cut, participant_id: str = "ada-1") -> UtteranceTranscribed:
    """One utterance of Ada's."""
    return UtteranceTranscribed(
        session_id=SESSION,
        utterance_id=f"utterance-{number}",
        peer_id=PEER.peer_id,
        participant_id=participant_id,
        external_user_id="ada",
        text=cut.text,
        first_sequence=cut.first,
        last_sequence=cut.last,
    )


def noted() -> list[tuple[str, Message]]:
    """The session's events."""
    return [
        ("session", SessionCreated(session_id=SESSION, external_room_id="room")),
        ("attendance", ParticipantJoined(session_id=SESSION, peer_id=PEER.peer_id)),
        *((f"message-{number}", message(number, cut)) for number, cut in enumerate(EXPECTED["ada"])),
        ("attendance", ParticipantLeft(session_id=SESSION, peer_id=PEER.peer_id)),
        ("session", SessionEnded(session_id=SESSION)),
    ]


def message(number: int, cut: Cut) -> MessageCreated:
    """The message of an utterance."""
    return MessageCreated(
        session_id=SESSION,
        message_id=f"message-{number}",
        type=MESSAGE_TYPE_USER,
        participant_id="ada-1",
        external_user_id="ada",
        content=cut.text,
        start_offset=Duration(seconds=cut.first),
        utterance_id=f"utterance-{number}",
    )


def as_read(number: int, cut: Cut) -> Said:
    """The same, as ListMessages gives it."""
    return Said(
        id=f"message-{number}",
        session_id=SESSION,
        type=MESSAGE_TYPE_USER,
        participant_id="ada-1",
        external_user_id="ada",
        content=cut.text,
        start_offset=Duration(seconds=cut.first),
        utterance_id=f"utterance-{number}",
    )


def with_stream(evidence: Evidence, service: str, order: Iterable[int]) -> Evidence:
    """The stream of a service holds the messages of these numbers, in this order."""
    there = evidence.streams[service]
    return replace(evidence, streams={**evidence.streams, service: [there[number] for number in order]})


def with_followed(evidence: Evidence, service: str, order: Iterable[int]) -> Evidence:
    """A consumer received the events of these numbers, in this order."""
    there = evidence.followed[service]
    return replace(evidence, followed={**evidence.followed, service: [there[number] for number in order]})


def with_messages(evidence: Evidence, order: Iterable[int]) -> Evidence:
    """ListMessages gives the messages of these numbers, in this order."""
    return replace(evidence, messages={SESSION: [evidence.messages[SESSION][number] for number in order]})
