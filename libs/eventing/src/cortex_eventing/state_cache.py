"""The states of the aggregates that were asked something last, and whose turn it is with each."""

import asyncio
import uuid
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Generic

from cortex_eventing.decider import State

MOST_AGGREGATES = 10_000
"""States kept; a kilobyte or a few each, so tens of megabytes at worst. Another one costs a query."""


@dataclass(frozen=True)
class Known(Generic[State]):
    """An aggregate as the store has it, or had it.

    Attributes:
        project_id: the project of its first event; empty when it has none, too.
        version: 0 when it does not exist.
    """

    project_id: str
    state: State | None
    version: int


@dataclass(eq=False)
class Slot(Generic[State]):
    """One aggregate's place in the cache.

    Attributes:
        known: its state, None when it must be read from the store.
        turn: held from before a decision until its events are committed.
        wanted: how many commands hold the turn or wait for it; such a slot stays.
    """

    known: Known[State] | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    wanted: int = 0


class StateCache(Generic[State]):
    """Slots by aggregate, the least recently used forgotten first."""

    def __init__(self, most: int = MOST_AGGREGATES) -> None:
        self._most = most
        self._slots: OrderedDict[uuid.UUID, Slot[State]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._slots)

    async def take_turn(self, aggregate_id: uuid.UUID) -> Slot[State]:
        """Wait for the aggregate's turn. Whoever has it must give it back with `end_turn`, whatever happens."""
        slot = self._slots.setdefault(aggregate_id, Slot())
        self._slots.move_to_end(aggregate_id)
        slot.wanted += 1
        try:
            await slot.turn.acquire()
        except BaseException:
            self._leave(aggregate_id, slot)
            raise
        return slot

    def end_turn(self, aggregate_id: uuid.UUID, slot: Slot[State]) -> None:
        """Let the next one have its turn."""
        slot.turn.release()
        self._leave(aggregate_id, slot)

    def _leave(self, aggregate_id: uuid.UUID, slot: Slot[State]) -> None:
        slot.wanted -= 1
        if slot.known is None and not slot.wanted:
            del self._slots[aggregate_id]
        if len(self._slots) > self._most:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        for aggregate_id, slot in self._slots.items():
            if not slot.wanted:
                del self._slots[aggregate_id]
                return
