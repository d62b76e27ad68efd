"""How far a reader has come: the only cursor there is, and what it set aside on the way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from cortex_eventing.recorded import RecordedBytes


class Lane(NamedTuple):
    """The events of one resource, whose order matters among themselves."""

    resource: str
    resource_id: str


@dataclass(frozen=True)
class Checkpoint:
    """Where a reader stands.

    Attributes:
        position: of the last event that was dealt with.
        sequence: of that event's message in the stream, as a hint where to look.
    """

    position: int = 0
    sequence: int = 0


@dataclass(frozen=True)
class ParkedEvent:
    """An event that was set aside. Holds no content: a replay reads it from the feed again, if it is still there.

    Attributes:
        lane: no later event of it is dealt with before this one.
        why: the error's kind and place, never its words, which may quote what people said.
    """

    lane: Lane
    position: int
    topic: str
    why: str

    @classmethod
    def of(cls, raw: RecordedBytes, lane: Lane, why: str) -> "ParkedEvent":
        """`raw`, set aside."""
        return cls(lane, raw.position, raw.topic, why)


@dataclass(frozen=True)
class Step:
    """A reader's move from one checkpoint to the next, with the events parked on the way."""

    old: Checkpoint
    new: Checkpoint
    parked: Sequence[ParkedEvent] = ()


class CheckpointStore(Protocol):
    """One reader's checkpoint and parked events. Every method raises Unavailable when the server is away."""

    async def load(self) -> Checkpoint:
        """Where the reader stands; at the beginning when it never ran."""
        ...

    async def parked_lanes(self) -> frozenset[Lane]:
        """The lanes that have a parked event."""
        ...

    async def step(self, step: Step) -> bool:
        """Move on condition that the old checkpoint still holds. False when it does not: another reader won."""
        ...

    async def wanted_back(self) -> Sequence[ParkedEvent]:
        """The parked events of lanes whose replay was asked for, by rising position."""
        ...

    async def settle(self, lane: Lane, up_to: int) -> None:
        """Forget the lane's parked events up to a position: they were dealt with after all."""
        ...

    async def keep_parked(self, lane: Lane, position: int, why: str) -> None:
        """Take back the wish to replay a lane, because its event at `position` failed once more."""
        ...

    async def replay(self, lane: Lane) -> int:
        """Ask for a lane's parked events to be dealt with again; the reader does so soon. The number of events."""
        ...

    async def parked(self, limit: int) -> Sequence[ParkedEvent]:
        """What is parked, by rising position, at most `limit`."""
        ...
