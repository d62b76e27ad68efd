"""Streams that are ended when the process stops."""

import asyncio

import pytest
from cortex_runtime.adapters.interceptors.drain import Drain

pytestmark = pytest.mark.unit


class Stream:
    """Sends one message, which takes as long as it is told to, and then waits for ever."""

    def __init__(self, drain: Drain) -> None:
        self._drain = drain
        self.begun, self.sent = asyncio.Event(), asyncio.Event()
        self.said: list[str] = []

    async def run(self) -> None:
        try:
            with self._drain.stream():
                try:
                    with self._drain.writing():
                        self.begun.set()
                        await self.sent.wait()
                    self.said.append("message")
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    assert self._drain.ended_this_call()
                    self.said.append("status")
        finally:
            self.begun.set()


async def test_a_stream_that_waits_is_ended_at_once() -> None:
    """It has nothing under way."""
    drain = Drain()
    stream = Stream(drain)
    stream.sent.set()
    running = asyncio.ensure_future(stream.run())
    await stream.begun.wait()
    drain.end_streams()
    async with asyncio.timeout(10):
        await running
    assert stream.said[-1] == "status"


async def test_a_message_under_way_is_sent_before_the_status() -> None:
    """In its midst gRPC would send none, and the client would not learn why the stream ended."""
    drain = Drain()
    stream = Stream(drain)
    running = asyncio.ensure_future(stream.run())
    await stream.begun.wait()
    drain.end_streams()
    await asyncio.sleep(0)
    assert stream.said == []
    stream.sent.set()
    async with asyncio.timeout(10):
        await running
    assert stream.said == ["message", "status"]


async def test_a_stream_that_begins_too_late_is_ended_too() -> None:
    """Between the end of the others and the closing of the server."""
    drain = Drain()
    drain.end_streams()
    stream = Stream(drain)
    async with asyncio.timeout(10):
        await asyncio.wait([asyncio.ensure_future(stream.run())])
    assert stream.said == ["status"]
