"""A reader's checkpoint in memory, for unit tests."""

from collections.abc import Sequence
from dataclasses import replace

from cortex_eventing.checkpoints import Checkpoint, Lane, ParkedEvent, Step


class MemoryCheckpointStore:
    """The adapter of `CheckpointStore`."""

    def __init__(self) -> None:
        self._checkpoint = Checkpoint()
        self._parked: dict[int, ParkedEvent] = {}
        self._wanted: set[Lane] = set()

    async def load(self) -> Checkpoint:
        """See `CheckpointStore`."""
        return self._checkpoint

    async def parked_lanes(self) -> frozenset[Lane]:
        """See `CheckpointStore`."""
        return frozenset(event.lane for event in self._parked.values())

    async def step(self, step: Step) -> bool:
        """See `CheckpointStore`."""
        if step.old.position != self._checkpoint.position:
            return False
        self._checkpoint = step.new
        for event in step.parked:
            self._parked.setdefault(event.position, event)
        return True

    async def wanted_back(self) -> Sequence[ParkedEvent]:
        """See `CheckpointStore`."""
        return [event for event in await self.parked(len(self._parked)) if event.lane in self._wanted]

    async def settle(self, lane: Lane, up_to: int) -> None:
        """See `CheckpointStore`."""
        for event in self._of(lane):
            if event.position <= up_to:
                del self._parked[event.position]

    async def keep_parked(self, lane: Lane, position: int, why: str) -> None:
        """See `CheckpointStore`."""
        self._wanted.discard(lane)
        if position in self._parked:
            self._parked[position] = replace(self._parked[position], why=why)

    async def replay(self, lane: Lane) -> int:
        """See `CheckpointStore`."""
        self._wanted.add(lane)
        return len(self._of(lane))

    async def parked(self, limit: int) -> Sequence[ParkedEvent]:
        """See `CheckpointStore`."""
        return sorted(self._parked.values(), key=lambda event: event.position)[:limit]

    def _of(self, lane: Lane) -> list[ParkedEvent]:
        return [event for event in self._parked.values() if event.lane == lane]
