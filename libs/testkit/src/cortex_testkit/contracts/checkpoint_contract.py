"""What every checkpoint store promises a reader."""

import pytest
from cortex_eventing.checkpoints import Checkpoint, CheckpointStore, Lane, ParkedEvent, Step

LANE = Lane("box", "box-1")
OTHER = Lane("box", "box-2")


def parked(position: int, lane: Lane = LANE, why: str = "ValueError") -> ParkedEvent:
    """An event set aside."""
    return ParkedEvent(lane, position, "sample.BoxFilled", why)


class CheckpointContract:
    """Subclass it, set `pytestmark`, and give it a fixture `checkpoints` that holds a fresh `CheckpointStore`."""

    async def test_a_reader_that_never_ran_is_at_the_beginning(self, checkpoints: CheckpointStore) -> None:
        """There is nothing to set up for a new reader."""
        assert await checkpoints.load() == Checkpoint(0, 0)
        assert await checkpoints.parked_lanes() == frozenset()

    async def test_a_step_moves_it(self, checkpoints: CheckpointStore) -> None:
        """Position and hint move together."""
        start = await checkpoints.load()
        assert await checkpoints.step(Step(start, Checkpoint(7, 3)))
        assert await checkpoints.load() == Checkpoint(7, 3)

    async def test_a_step_from_elsewhere_does_nothing(self, checkpoints: CheckpointStore) -> None:
        """A reader that was overtaken writes nothing, also no parked events."""
        start = await checkpoints.load()
        await checkpoints.step(Step(start, Checkpoint(7, 3)))
        assert not await checkpoints.step(Step(start, Checkpoint(9, 5), [parked(9)]))
        assert await checkpoints.load() == Checkpoint(7, 3)
        assert await checkpoints.parked_lanes() == frozenset()

    async def test_parked_events_are_shown_in_order(self, checkpoints: CheckpointStore) -> None:
        """An operator sees what was set aside and why."""
        start = await checkpoints.load()
        events = [parked(2), parked(3, OTHER), parked(5)]
        await checkpoints.step(Step(start, Checkpoint(5), events))
        assert await checkpoints.parked(10) == events
        assert await checkpoints.parked(2) == events[:2]
        assert await checkpoints.parked_lanes() == {LANE, OTHER}

    async def test_a_replay_is_asked_for_by_lane(self, checkpoints: CheckpointStore) -> None:
        """Only that lane's events come back, in order."""
        start = await checkpoints.load()
        await checkpoints.step(Step(start, Checkpoint(5), [parked(2), parked(3, OTHER), parked(5)]))
        assert await checkpoints.wanted_back() == []
        assert await checkpoints.replay(LANE) == 2
        assert await checkpoints.wanted_back() == [parked(2), parked(5)]

    async def test_what_is_dealt_with_is_forgotten(self, checkpoints: CheckpointStore) -> None:
        """A lane is free when its last parked event is settled."""
        start = await checkpoints.load()
        await checkpoints.step(Step(start, Checkpoint(5), [parked(2), parked(5), parked(4, OTHER)]))
        await checkpoints.settle(LANE, 2)
        assert await checkpoints.parked(10) == [parked(4, OTHER), parked(5)]
        await checkpoints.settle(LANE, 5)
        assert await checkpoints.parked_lanes() == {OTHER}

    async def test_a_replay_that_fails_again_says_why(self, checkpoints: CheckpointStore) -> None:
        """The wish is taken back, so that the reader does not try for ever."""
        start = await checkpoints.load()
        await checkpoints.step(Step(start, Checkpoint(5), [parked(2), parked(5)]))
        await checkpoints.replay(LANE)
        await checkpoints.keep_parked(LANE, 2, "KeyError")
        assert await checkpoints.wanted_back() == []
        assert await checkpoints.parked(10) == [parked(2, why="KeyError"), parked(5)]

    @pytest.mark.parametrize("count", [0, 3])
    async def test_a_replay_says_how_many(self, checkpoints: CheckpointStore, count: int) -> None:
        """An operator who names a lane that is not parked sees it."""
        start = await checkpoints.load()
        await checkpoints.step(Step(start, Checkpoint(9), [parked(position + 1) for position in range(count)]))
        assert await checkpoints.replay(LANE) == count
