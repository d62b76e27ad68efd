"""Floor of `visible`: the barest loop from a commit to a row: LISTEN, SELECT, publish, consume, upsert.

It keeps no order across restarts, recovers from nothing and is fenced by nothing. With `jetstream=False` the listener
upserts by itself.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Self

import nats
import psycopg
from nats.aio.msg import Msg
from nats.js.api import StreamConfig

TABLES = """
DROP TABLE IF EXISTS floor_events, floor_rows;
CREATE TABLE floor_events (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea NOT NULL);
CREATE TABLE floor_rows (id bigint PRIMARY KEY, body bytea NOT NULL);
"""
INSERT = """
WITH e AS (INSERT INTO floor_events (body) VALUES (%s) RETURNING position)
SELECT position, pg_notify('floor', '') FROM e
"""
SELECT = "SELECT position, body FROM floor_events WHERE position > %s ORDER BY position LIMIT 500"
UPSERT = "INSERT INTO floor_rows VALUES (%s, %s) ON CONFLICT (id) DO UPDATE SET body = excluded.body"


class BareLoop:
    """The loop on real servers, as an async context manager."""

    def __init__(self, dsn: str, url: str, *, jetstream: bool) -> None:
        self._dsn, self._url, self._jetstream = dsn, url, jetstream
        self._visible: dict[int, float] = {}
        self._stack = AsyncExitStack()
        self._progress = asyncio.Condition()

    async def __aenter__(self) -> Self:
        self._writer, self._reader, self._view, self._listener = [await self._connection() for _ in range(4)]
        await self._writer.execute(TABLES)
        await self._listener.execute("LISTEN floor")
        self._client = await nats.connect(self._url)
        self._stack.push_async_callback(self._client.close)
        if self._jetstream:
            await self._client.jetstream().add_stream(StreamConfig(name="floor", subjects=["floor.>"]))
            await self._client.jetstream().subscribe(
                "floor.>", cb=self._consume, manual_ack=True, ordered_consumer=True
            )
        self._task = asyncio.create_task(self._relay())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if self._jetstream:
            await self._client.jetstream().delete_stream("floor")
        await self._stack.aclose()

    async def command(self, body: bytes) -> float:
        """Commit one event; the seconds from its commit until its row was visible."""
        position = (await (await self._writer.execute(INSERT, (body,))).fetchall())[0][0]
        committed = time.perf_counter()
        async with self._progress:
            await self._progress.wait_for(lambda: position in self._visible)
        return self._visible.pop(position) - committed

    async def _connection(self) -> psycopg.AsyncConnection:
        connection = await psycopg.AsyncConnection.connect(self._dsn, autocommit=True)
        self._stack.push_async_callback(connection.close)
        return connection

    async def _relay(self) -> None:
        last = 0
        while True:
            rows = await (await self._reader.execute(SELECT, (last,))).fetchall()
            for position, body in rows:
                if self._jetstream:
                    await self._client.publish(f"floor.{position}", body)
                else:
                    await self._put(position, body)
                last = position
            if not rows:
                async for _ in self._listener.notifies(timeout=1, stop_after=1):
                    pass

    async def _consume(self, message: Msg) -> None:
        await self._put(int(message.subject.rpartition(".")[2]), message.data)

    async def _put(self, position: int, body: bytes) -> None:
        await self._view.execute(UPSERT, (position, body))
        async with self._progress:
            self._visible[position] = time.perf_counter()
            self._progress.notify_all()
