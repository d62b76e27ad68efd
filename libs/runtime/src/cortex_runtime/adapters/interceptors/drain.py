"""Knowing which calls run, and ending those that would go on for ever, when the process stops."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Drain:
    """The calls that are running. Streams among them can be ended with UNAVAILABLE: their clients resume elsewhere."""

    def __init__(self) -> None:
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._streams: set[asyncio.Task[object]] = set()
        self._ended: set[asyncio.Task[object]] = set()

    @contextmanager
    def call(self) -> Iterator[None]:
        """Count a call as running."""
        self._running += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._running -= 1
            if self._running == 0:
                self._idle.set()

    @contextmanager
    def stream(self) -> Iterator[None]:
        """Count a call as running, and its task among the streams."""
        task = _this_task()
        self._streams.add(task)
        try:
            with self.call():
                yield
        finally:
            self._streams.discard(task)
            self._ended.discard(task)

    def end_streams(self) -> None:
        """End every stream that is running."""
        self._ended |= self._streams
        for task in self._streams:
            task.cancel()

    def ended_this_call(self) -> bool:
        """Whether the cancellation of the running task was ours; takes it back, so that the task can answer."""
        task = _this_task()
        if task not in self._ended:
            return False
        task.uncancel()
        return True

    async def idle(self, within: float) -> bool:
        """Wait until no call is running; False when that takes longer than `within` seconds."""
        try:
            async with asyncio.timeout(within):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True


def _this_task() -> asyncio.Task[object]:
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("gRPC runs every call in a task")
    return task
