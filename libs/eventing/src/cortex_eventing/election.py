"""Who runs the roles that only one replica should run at a time."""

from collections.abc import Awaitable, Callable
from typing import Protocol


class Election(Protocol):
    """A contest among the replicas of one service.

    Two winners can overlap for up to 4 s, when one has lost without knowing it yet. So each elected role must be safe
    then: the relay by its fence, projections by the checkpoint's condition, reactions and timers by request ids.
    """

    async def lead(self, elected: Callable[[], Awaitable[None]]) -> None:
        """Wait to be elected, run `elected` until the seat is lost, then return; what `elected` raises is raised.

        Raises:
            Unavailable: the server that holds the seats is away.
        """
        ...


class OnlyReplica:
    """The election of a process that has no peers: it always leads."""

    async def lead(self, elected: Callable[[], Awaitable[None]]) -> None:
        """Run `elected`."""
        await elected()
