"""Station 8: waiting until a read model shows what a command did, and hearing when it changes.

Waits are on conditions inside the process. Where the readers run in another replica, `adapters.postgres.progress`
moves these conditions from what the database says.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection

from cortex_eventing.checkpoints import Lane
from cortex_eventing.errors import Unavailable


class Progress:
    """How far one projection has come, as far as this process knows.

    Args:
        reader: the projection's name.
    """

    def __init__(self, reader: str) -> None:
        self.reader = reader
        self._position = 0
        self._waiting: set[tuple[asyncio.Future[None], int]] = set()
        self._watching: set[_Watcher] = set()

    @property
    def position(self) -> int:
        """The position that the read model shows at least."""
        return self._position

    def moved(self, position: int, lanes: Collection[Lane] | None = None) -> None:
        """The read model shows `position` now; `lanes` are those whose rows changed, None when that is not known.

        What is known already changes nothing, so that the word of the database may come late.
        """
        if position <= self._position:
            return
        self._position = position
        for entry in [waiter for waiter in self._waiting if waiter[1] <= position]:
            self._waiting.discard(entry)
            if not entry[0].done():
                entry[0].set_result(None)
        for watcher in self._watching:
            if lanes is None or watcher.lane is None or watcher.lane in lanes:
                watcher.changed.set()

    def thrown_away(self) -> None:
        """The read model is being rebuilt from the beginning."""
        self._position = 0

    async def reached(self, position: int, deadline: float | None = None) -> None:
        """Wait until the read model shows `position`.

        Args:
            position: of the store of the service whose events are projected; 0 waits for nothing.
            deadline: a time of the event loop's clock; None waits for as long as it takes.

        Raises:
            Unavailable: it did not get there by the deadline.
        """
        if position <= self._position:
            return
        entry = (asyncio.get_running_loop().create_future(), position)
        self._waiting.add(entry)
        try:
            async with asyncio.timeout_at(deadline):
                await entry[0]
        except TimeoutError:
            raise Unavailable(f"the read model {self.reader} at position {position}") from None
        finally:
            self._waiting.discard(entry)

    async def watch(self, lane: Lane | None = None) -> AsyncGenerator[int, None]:
        """The position, at once and whenever rows of the lane (None: any) may have changed. Close it when done.

        A slow listener misses steps in between but never the last one: read the rows anew each time.
        """
        watcher = _Watcher(lane)
        self._watching.add(watcher)
        try:
            while True:
                await watcher.changed.wait()
                watcher.changed.clear()
                yield self._position
        finally:
            self._watching.discard(watcher)


class _Watcher:
    """Somebody who wants to hear of changes; starts as if there had been one."""

    def __init__(self, lane: Lane | None) -> None:
        self.lane = lane
        self.changed = asyncio.Event()
        self.changed.set()


class ProgressBoard:
    """The progress of every projection of a process, by name."""

    def __init__(self) -> None:
        self._progress: dict[str, Progress] = {}

    def of(self, reader: str) -> Progress:
        """The progress of a projection, the same object each time."""
        if reader not in self._progress:
            self._progress[reader] = Progress(reader)
        return self._progress[reader]

    def known(self) -> list[Progress]:
        """All that somebody asked for."""
        return list(self._progress.values())
