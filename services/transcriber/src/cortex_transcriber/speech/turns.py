"""Projects take turns: one that has much to do delays the others by one piece of work at a time."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Turns(Generic[Item]):
    """A queue in which projects take turns; within a project the oldest comes first."""

    def __init__(self) -> None:
        # By project, the one whose turn it is in front; who has nothing here has no entry.
        self._waiting: dict[str, deque[Item]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Item]:
        return (item for waiting in self._waiting.values() for item in waiting)

    def push(self, project_id: str, item: Item) -> None:
        """Wait for a turn of the project."""
        self._waiting.setdefault(project_id, deque()).append(item)
        self._count += 1

    def pop(self) -> Item:
        """Whose turn it is; its project goes to the end. Raises StopIteration when nothing waits."""
        return self._pop(next(iter(self._waiting)))

    def pop_first(self, fits: Callable[[Item], bool]) -> Item | None:
        """The next one that fits, of those that are the oldest of their project; None when none of them does.

        Its project goes to the end, the others keep their places.
        """
        fitting = next((project_id for project_id, waiting in self._waiting.items() if fits(waiting[0])), None)
        return None if fitting is None else self._pop(fitting)

    def drop(self) -> Item:
        """What has to go: the oldest of the project with the most. Raises ValueError when nothing waits."""
        project_id = max(self._waiting, key=lambda each: len(self._waiting[each]))
        waiting = self._waiting[project_id]
        item = waiting.popleft()
        if not waiting:
            del self._waiting[project_id]
        self._count -= 1
        return item

    def _pop(self, project_id: str) -> Item:
        waiting = self._waiting.pop(project_id)
        item = waiting.popleft()
        if waiting:
            self._waiting[project_id] = waiting
        self._count -= 1
        return item

    def clear(self) -> None:
        """Forget everything."""
        self._waiting.clear()
        self._count = 0


class FairRoom:
    """A semaphore whose places go to projects in turn. Of one event loop.

    Args:
        places: held at once.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: Turns[asyncio.Future[None]] = Turns()

    @asynccontextmanager
    async def place(self, project_id: str) -> AsyncIterator[None]:
        """Hold a place, once there is one."""
        await self._enter(project_id)
        try:
            yield
        finally:
            self._leave()

    async def _enter(self, project_id: str) -> None:
        if self._free:
            self._free -= 1
            return
        given: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.push(project_id, given)
        try:
            await given
        except asyncio.CancelledError:
            if not given.cancelled():
                self._leave()  # it was given a place at the moment in which it gave up
            raise

    def _leave(self) -> None:
        while self._waiting:
            given = self._waiting.pop()
            if not given.done():
                given.set_result(None)
                return
        self._free += 1
