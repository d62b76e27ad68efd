"""A link to nats-server on which events arrive again, and in another order than they were sent in.

The stream stays what it is, and all else passes: only what the server delivers of a stream is disarranged on its way to
the reader, as by redeliveries and retries of a worse network than ours.
"""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import NamedTuple

from cortex_runtime.adapters.embedded.ports import LOOPBACK

SWAPPED, REPEATED = 0.2, 0.2
"""The shares of events that change places with the next one, and that are followed by an earlier one."""

REMEMBERED = 50
"""How far back a repeated event may lie: more than a page of a busy reader."""

HELD_FOR = 0.05
"""Seconds after which an event that waits for another one to overtake it is delivered after all."""

DELIVERY = b"$JS.ACK."
"""What the reply subject of a stream's message begins with; behind it stands the stream's name."""


class Frame(NamedTuple):
    """One thing that the server says.

    Attributes:
        subscription: for whom; empty where it is not a stream's message.
        stream: of which stream; empty likewise.
    """

    data: bytes
    subscription: bytes = b""
    stream: str = ""


@dataclass
class Disorder:
    """Which events, by stream, were swapped and repeated so far."""

    swapped: Counter[str] = field(default_factory=Counter)
    repeated: Counter[str] = field(default_factory=Counter)

    def reached(self, *streams: str, times: int) -> bool:
        """Whether each of these streams was disarranged so often, in both ways."""
        return all(min(self.swapped[stream], self.repeated[stream]) >= times for stream in streams)


class _Deliveries:
    """The way from the server to one client."""

    def __init__(self, client: asyncio.StreamWriter, disorder: Disorder, chance: Random) -> None:
        self._client = client
        self._disorder = disorder
        self._chance = chance
        self._held: dict[bytes, Frame] = {}
        self._passed = defaultdict[bytes, deque[Frame]](lambda: deque(maxlen=REMEMBERED))

    def deliver(self, frame: Frame) -> None:
        """Pass a frame on: now, or behind the next one of its subscription, or with an earlier one behind it."""
        if not frame.subscription:
            self._client.write(frame.data)
        elif frame.subscription in self._held:
            self._pass(frame)
            self._disorder.swapped[frame.stream] += 1
            self._release(self._held[frame.subscription])
        elif self._chance.random() < SWAPPED:
            self._held[frame.subscription] = frame
            asyncio.get_running_loop().call_later(HELD_FOR, self._release, frame)
        else:
            self._pass(frame)

    def _release(self, frame: Frame) -> None:
        if self._held.get(frame.subscription) is frame and not self._client.is_closing():
            del self._held[frame.subscription]
            self._pass(frame)

    def _pass(self, frame: Frame) -> None:
        passed = self._passed[frame.subscription]
        passed.append(frame)
        self._client.write(frame.data)
        if self._chance.random() < REPEATED:
            self._client.write(self._chance.choice(passed).data)
            self._disorder.repeated[frame.stream] += 1


@asynccontextmanager
async def unruly_link(port: int, seed: int) -> AsyncIterator[tuple[str, Disorder]]:
    """A link to the nats-server on a port of loopback: its address, and what it does, while the context lasts."""
    disorder, numbers, running = Disorder(), count(seed), set[asyncio.Task[None]]()

    async def accept(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        deliveries = _Deliveries(to_client, disorder, Random(next(numbers)))  # noqa: S311 - disorder, no secret
        with suppress(OSError):
            server, to_server = await asyncio.open_connection(LOOPBACK, port)
            for way in (_ask(client, to_server), _answer(server, to_client, deliveries)):
                task = asyncio.create_task(way)
                running.add(task)
                task.add_done_callback(running.discard)

    listener = await asyncio.start_server(accept, LOOPBACK, 0)
    try:
        yield f"nats://{LOOPBACK}:{listener.sockets[0].getsockname()[1]}", disorder
    finally:
        listener.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _ask(client: asyncio.StreamReader, to_server: asyncio.StreamWriter) -> None:
    """Whatever the client says, as it says it."""
    try:
        with suppress(OSError):
            while chunk := await client.read(2**16):
                to_server.write(chunk)
                await to_server.drain()
    finally:
        to_server.close()


async def _answer(server: asyncio.StreamReader, to_client: asyncio.StreamWriter, deliveries: _Deliveries) -> None:
    """What the server says, frame by frame."""
    try:
        with suppress(OSError, asyncio.IncompleteReadError):
            while frame := await _frame(server):
                deliveries.deliver(frame)
                await to_client.drain()
    finally:
        to_client.close()


async def _frame(server: asyncio.StreamReader) -> Frame | None:
    """The next one of NATS's client protocol: a line, and behind MSG and HMSG as many bytes as its last word says."""
    line = await server.readline()
    words = line.split()
    if not words or words[0] not in {b"MSG", b"HMSG"}:
        return Frame(line) if line else None
    body = await server.readexactly(int(words[-1]) + len(b"\r\n"))
    # HMSG <subject> <subscription> <reply> <bytes of headers> <bytes>
    if words[0] == b"HMSG" and words[3].startswith(DELIVERY):
        return Frame(line + body, words[2], words[3].split(b".")[2].decode())
    return Frame(line + body)
