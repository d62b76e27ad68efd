"""Stations 1 and 2: a command arrives, a pure function decides, and says which events happened.

The shape is the decider of functional event sourcing: `decide` and `evolve` over frozen data, no clock, no ids, no I/O.
"""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from google.protobuf.message import Message

Command = TypeVar("Command")
State = TypeVar("State")
Event = TypeVar("Event", bound=Message)


@dataclass(frozen=True)
class Claim:
    """A value from outside that only one owner in a project may hold: a room, an external user id, a join code.

    Attributes:
        kind: what sort of value it is, for example `participant_external_user_id`. Never renamed.
        value: the value itself; the store keeps only its keyed hash.
        owner: the id of the aggregate that holds it.
    """

    kind: str
    value: str
    owner: str


@dataclass(frozen=True)
class Decision(Generic[Event]):
    """What a command leads to: events, and claims that change hands with them, all or nothing."""

    events: Sequence[Event] = ()
    take: Sequence[Claim] = field(default=(), kw_only=True)
    release: Sequence[Claim] = field(default=(), kw_only=True)


@dataclass(frozen=True)
class Decider(Generic[Command, State, Event]):
    """What one kind of aggregate may do.

    Attributes:
        name: the kind of aggregate, as metrics name it.
        aggregate_id: which aggregate a command is for.
        decide: the events a command leads to; raises `Rejected` when it may not be.
        evolve: the state after an event; None is the state before the first. Raises `Impossible`.
        events: the event classes that it yields.
    """

    name: str
    aggregate_id: Callable[[Command], uuid.UUID]
    decide: Callable[[Command, State | None], Decision[Event]]
    evolve: Callable[[State | None, Event], State]
    events: Sequence[type[Event]]

    def fold(self, events: Iterable[Event], state: State | None = None) -> State | None:
        """The state after `events`, starting from `state`."""
        for event in events:
            state = self.evolve(state, event)
        return state
