"""The port of station 7: where read models stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cortex_eventing.checkpoints import CheckpointStore, Lane, Step
from cortex_eventing.errors import CortexError
from cortex_eventing.read_model import Key, ReadModel


class Unstorable(CortexError):
    """A row holds what its table refuses; retrying it unchanged is useless."""


@dataclass(frozen=True)
class TableChange:
    """What a page of events did to one table; every key occurs once."""

    read_model: ReadModel[Any]
    upserts: Sequence[Any]
    deletes: Sequence[Key]


class ProjectionStore(CheckpointStore, Protocol):
    """One projection's checkpoint and tables, in one database."""

    async def rows(self, read_model: ReadModel[Any], keys: Sequence[Key]) -> dict[Key, Any]:
        """The rows that there are under some keys."""
        ...

    async def write(self, step: Step, changes: Sequence[TableChange], settle: Lane | None = None) -> bool:
        """Move the checkpoint and change the rows, in one statement; False, and nothing done, when another reader won.

        Args:
            step: the move; events that it parks are stored with it.
            changes: what the events did.
            settle: a lane whose parked events up to the new position are forgotten with it.

        Raises:
            Unstorable: the tables refuse a value; nothing is done.
            Unavailable: the server is away; nothing is known about the outcome.
        """
        ...

    async def throw_away(self) -> None:
        """Empty the tables, forget what is parked, and go back to the beginning, all at once."""
        ...
