"""Ending streams that would go on for ever, when the process stops."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Drain:
    """The streams that are running, to be ended with UNAVAILABLE: their clients resume elsewhere."""

    def __init__(self) -> None:
        self._draining = False
        self._streams: set[asyncio.Task[object]] = set()
        self._ended: set[asyncio.Task[object]] = set()
        self._writing: set[asyncio.Task[object]] = set()

    @contextmanager
    def stream(self) -> Iterator[None]:
        """Count the running task among the streams."""
        task = _this_task()
        self._streams.add(task)
        if self._draining:
            self._end(task)
        try:
            yield
        finally:
            self._streams.discard(task)
            self._ended.discard(task)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """The running task sends a message: it is ended behind it, since gRPC can send no status in its midst."""
        task = _this_task()
        self._writing.add(task)
        try:
            yield
        finally:
            self._writing.discard(task)
        if task in self._ended:
            task.cancel()

    def end_streams(self) -> None:
        """End every stream that is running, and from now on those that were about to begin."""
        self._draining = True
        for task in self._streams:
            self._end(task)

    def ended_this_call(self) -> bool:
        """Whether the cancellation of the running task was ours; takes it back, so that the task can answer."""
        task = _this_task()
        if task not in self._ended:
            return False
        task.uncancel()
        return True

    def _end(self, task: asyncio.Task[object]) -> None:
        self._ended.add(task)
        if task not in self._writing:
            task.cancel()


def _this_task() -> asyncio.Task[object]:
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("gRPC runs every call in a task")
    return task
