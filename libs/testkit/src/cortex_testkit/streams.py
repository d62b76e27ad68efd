"""A NATS server that each test finds without the streams of the others."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats

# Loopback answers in milliseconds; a server that takes longer is in trouble, and the test should say so.
ANSWER_WITHIN = 10.0


@asynccontextmanager
async def no_streams_left(url: str) -> AsyncIterator[str]:
    """Delete, at the end, the streams that were made in the meantime."""
    before = await _streams(url)
    try:
        yield url
    finally:
        await _delete(url, await _streams(url) - before)


async def _streams(url: str) -> set[str]:
    connection = await nats.connect(url, connect_timeout=int(ANSWER_WITHIN))
    try:
        infos = await connection.jetstream(timeout=ANSWER_WITHIN).streams_info()
        return {str(info.config.name) for info in infos}
    finally:
        await connection.close()


async def _delete(url: str, streams: set[str]) -> None:
    if not streams:
        return
    connection = await nats.connect(url, connect_timeout=int(ANSWER_WITHIN))
    try:
        for stream in streams:
            await connection.jetstream(timeout=ANSWER_WITHIN).delete_stream(stream)
    finally:
        await connection.close()
