"""When a message is stored, and when it is refused (2, 3). A message is an aggregate of its own, of one event."""

from dataclasses import dataclass

from cortex.session.v1.events_pb2 import MessageCreated
from cortex.session.v1.resources_pb2 import MESSAGE_TYPE_SYSTEM, MESSAGE_TYPE_USER
from cortex_eventing.decider import Decider, Decision
from cortex_eventing.errors import Impossible
from cortex_eventing.times import span, stamp

from cortex_session.domain.acceptance import must_belong_to
from cortex_session.domain.commands import MessageCommand, StoreNote, StoreUtterance
from cortex_session.domain.errors import SessionNotFound
from cortex_session.domain.names import SYSTEM, name_of

NOTHING: Decision[MessageCreated] = Decision()


@dataclass(frozen=True)
class Stored:
    """A message that is there."""


def evolve(message: Stored | None, event: MessageCreated) -> Stored:
    """The message after an event."""
    if message is not None:
        raise Impossible(event, message)
    return Stored()


def decide(command: MessageCommand, message: Stored | None) -> Decision[MessageCreated]:
    """The events that a command leads to."""
    match command, message:
        case _, Stored():
            return NOTHING  # it came twice
        case StoreUtterance(), None:
            return _utterance(command)
        case StoreNote(), None:
            return _note(command)


def _utterance(command: StoreUtterance) -> Decision[MessageCreated]:
    must_belong_to(command.session, command.started_at, command.heard_at)
    speaker, words = command.speaker, command.words
    return Decision(
        [
            MessageCreated(
                session_id=str(command.session_id),
                message_id=str(command.message_id),
                type=MESSAGE_TYPE_USER,
                participant_id=speaker.participant_id,
                external_user_id=speaker.external_user_id,
                sender_name=name_of(speaker.display_name, speaker.external_user_id),
                content=words.text,
                timestamp=stamp(command.started_at),
                start_offset=span(command.start_offset),
                end_offset=span(command.end_offset),
                peer_id=speaker.peer_id,
                claim=speaker.claim,
                confidence=words.confidence,
                language=words.language,
                model=words.model,
                utterance_id=words.utterance_id,
            )
        ]
    )


def _note(command: StoreNote) -> Decision[MessageCreated]:
    if command.session is None:
        raise SessionNotFound
    speaker, offset = command.speaker, span(command.at - command.session.created_at)
    return Decision(
        [
            MessageCreated(
                session_id=str(command.session_id),
                message_id=str(command.message_id),
                type=MESSAGE_TYPE_SYSTEM,
                participant_id=speaker.participant_id,
                external_user_id=speaker.external_user_id,
                sender_name=SYSTEM,
                content=command.text,
                timestamp=stamp(command.at),
                start_offset=offset,
                end_offset=offset,
                peer_id=speaker.peer_id,
                claim=speaker.claim,
            )
        ]
    )


MESSAGES: Decider[MessageCommand, Stored, MessageCreated] = Decider(
    name="message",
    aggregate_id=lambda command: command.message_id,
    decide=decide,
    evolve=evolve,
    events=(MessageCreated,),
)
