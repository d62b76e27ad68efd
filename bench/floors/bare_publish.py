"""Floor of `relay`: prebuilt messages, pipelined over one inbox, nothing else. No store, no fence, no order kept."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import StreamConfig

WINDOW = 256
"""Messages in flight: the same as the relay's."""


@dataclass(frozen=True)
class Prebuilt:
    """A message as the relay would publish it."""

    subject: str
    headers: dict[str, str]
    body: bytes


async def publish(url: str, stream: StreamConfig, messages: Sequence[Prebuilt]) -> float:
    """Publish all of them into a new stream; messages a second, until the last one was acknowledged."""
    client = await nats.connect(url)
    try:
        await client.jetstream().add_stream(stream)
        return await _pipelined(client, messages)
    finally:
        await client.jetstream().delete_stream(stream.name or "")
        await client.close()


async def _pipelined(client: Client, messages: Sequence[Prebuilt]) -> float:
    acknowledged = 0
    room = asyncio.Semaphore(WINDOW)
    all_there = asyncio.Event()

    async def on_answer(_: Msg) -> None:
        nonlocal acknowledged
        acknowledged += 1
        room.release()
        if acknowledged == len(messages):
            all_there.set()

    inbox = client.new_inbox()
    await client.subscribe(inbox, cb=on_answer)
    began = time.perf_counter()
    for message in messages:
        await room.acquire()
        await client.publish(message.subject, message.body, reply=inbox, headers=message.headers)
    await all_there.wait()
    return len(messages) / (time.perf_counter() - began)
