"""Ending streams that would go on for ever, when the process stops."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Drain:
    """The streams that are running, so that they can be ended with UNAVAILABLE: their clients resume elsewhere."""

    def __init__(self) -> None:
        self._streams: set[asyncio.Task[object]] = set()
        self._ended: set[asyncio.Task[object]] = set()

    @contextmanager
    def stream(self) -> Iterator[None]:
        """Count the running task among the streams."""
        task = _this_task()
        self._streams.add(task)
        try:
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


def _this_task() -> asyncio.Task[object]:
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("gRPC runs every call in a task")
    return task
