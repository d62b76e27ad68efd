"""The answers that wait to be sent: in order, bounded, and of interim texts only the latest of each peer."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

from cortex.transcriber.v1.transcriber_service_pb2 import StreamAudioResponse

CAPACITY: Final = 256
"""Answers that may wait. A bot that reads slower than it sends is slowed down by this; finals are rare beside it."""


class Outbox:
    """Between everything that answers and the one that sends."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._waiting: deque[StreamAudioResponse] = deque()
        self._interims: dict[int, StreamAudioResponse] = {}
        self._closed = False
        self._changed = asyncio.Condition()

    async def put(self, answer: StreamAudioResponse) -> None:
        """Hand over an answer; waits while too many do. After closing it is dropped."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._waiting) < self._capacity or self._closed)
            if not self._closed:
                self._forget_interim(answer)
                self._waiting.append(answer)
                self._changed.notify_all()

    async def offer(self, answer: StreamAudioResponse) -> None:
        """Hand over an interim text, which a newer one of the same peer or a final replaces. Never waits for room."""
        async with self._changed:
            if not self._closed:
                self._interims[answer.interim.peer] = answer
                self._changed.notify_all()

    async def close(self) -> None:
        """Nothing more comes; what waits is still sent, except for interim texts."""
        async with self._changed:
            self._closed = True
            self._interims.clear()
            self._changed.notify_all()

    async def __aiter__(self) -> AsyncIterator[StreamAudioResponse]:
        """The answers, until closed and empty."""
        while (answer := await self._next()) is not None:
            yield answer

    async def _next(self) -> StreamAudioResponse | None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._waiting or self._interims or self._closed)
            if not self._waiting:
                return self._interims.pop(next(iter(self._interims))) if self._interims else None
            self._changed.notify_all()
            return self._waiting.popleft()

    def _forget_interim(self, answer: StreamAudioResponse) -> None:
        """A final says more than the interim texts of its utterance."""
        final = answer.final
        interim = self._interims.get(final.peer) if answer.HasField("final") else None
        if interim and interim.interim.start_offset.ToNanoseconds() < final.end_offset.ToNanoseconds():
            del self._interims[final.peer]
