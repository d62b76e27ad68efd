"""Station 9: events of one service become commands of another.

A reaction is a reader whose write is a command. It holds no state but its checkpoint, which moves after the command was
answered; a repeat after a crash is harmless, because the command's request id is derived from the event:

    REACTION = Reaction(
        name="end-open-streams",
        listens_to=(SessionEnded,),
        command=lambda recorded: CloseTranscription(session_id=recorded.event.session_id),
        on_refusal={"TRANSCRIPTION_NOT_FOUND": IGNORE},
    )

Who executes the command is decided in the wiring: the service's own `CommandHandling`, or a client of another service.
"""

import hashlib
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from cortex_eventing.errors import Rejected
from cortex_eventing.ports import RequestKey
from cortex_eventing.recorded import Origin, Recorded

Command = TypeVar("Command")

REACTION_NAMESPACE = uuid.UUID("0d0c2a0e-5f5b-5a49-8c4e-7c8f2f0a6d11")
"""Drawn once. Changing it would make every repeated reaction a new command."""


class OnRefusal(Enum):
    """What a refused command means."""

    IGNORE = "ignore"
    """It was to be expected: counted, and the event is done with."""
    RETRY = "retry"
    """It may be right in a moment: asked again with backoff, and parked after `reading_rules.REFUSALS_RETRIED`."""
    PARK = "park"
    """Somebody must look: the event's lane is set aside, with all its later events."""


IGNORE = OnRefusal.IGNORE
RETRY = OnRefusal.RETRY
PARK = OnRefusal.PARK


@dataclass(frozen=True)
class Reaction(Generic[Command]):
    """What is asked for when something has happened.

    Attributes:
        name: lower case with dashes. Never renamed: its checkpoint and the commands' request ids derive from it.
        listens_to: the classes of the events.
        command: what to ask for; None when nothing. Pure.
        on_refusal: what each reason of a `Rejected` means, by its word, for example `SESSION_NOT_FOUND`. What is not
            named is parked. An `Unavailable` is always asked again, for ever.
    """

    name: str
    listens_to: tuple[type[Message], ...]
    command: Callable[[Recorded[Any]], Command | None]
    on_refusal: Mapping[str, OnRefusal] = field(default_factory=dict)

    def rule(self, refused: Rejected) -> OnRefusal:
        """What a refusal means."""
        return self.on_refusal.get(refused.reason, OnRefusal.PARK)


@dataclass(frozen=True)
class Request(Generic[Command]):
    """A command that a reaction wants executed.

    Attributes:
        command: what to do.
        origin: the event's project, correlation and trace; caused by the event.
        key: the same for every repeat, also by another replica or after a rebuild.
    """

    command: Command
    origin: Origin
    key: RequestKey


Execute = Callable[[Request[Command]], Awaitable[object]]
"""Executes a command. Raises Rejected when it is refused and Unavailable when it should be asked again."""


def request_id(event_id: uuid.UUID, reaction: str) -> uuid.UUID:
    """UUIDv5 of event id and reaction name."""
    return uuid.uuid5(REACTION_NAMESPACE, f"{event_id}/{reaction}")


def request_of(reaction: Reaction[Command], recorded: Recorded[Any]) -> Request[Command] | None:
    """What a reaction asks for after an event, or None."""
    command = reaction.command(recorded)
    if command is None:
        return None
    raw = recorded.raw
    origin = Origin(
        project_id=raw.origin.project_id,
        actor=f"reaction:{reaction.name}",
        correlation_id=raw.origin.correlation_id,
        causation_id=str(raw.event_id),
        traceparent=raw.origin.traceparent,
    )
    # The hash is of the event's id and not of the command: an erased event, or a later version of `command`, must not
    # turn a repeat into a clash.
    body_hash = hashlib.sha256(raw.event_id.bytes).digest()
    return Request(command, origin, RequestKey(reaction.name, request_id(raw.event_id, reaction.name), body_hash))
