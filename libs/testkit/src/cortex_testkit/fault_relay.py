"""A TCP relay between a client and a server that can do what networks do: cut, fall silent, delay, lose replies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Flag, auto

LOOPBACK = "127.0.0.1"
# As much as one read takes; nothing depends on it.
CHUNK = 64 * 1024


class Direction(Flag):
    """Which way bytes travel."""

    TO_SERVER = auto()
    TO_CLIENT = auto()
    BOTH = TO_SERVER | TO_CLIENT


NEITHER = Direction(0)


class FaultRelay:
    """Passes bytes on, unless told otherwise. Each fault replaces the one before it; `heal` ends all of them."""

    def __init__(self, host: str, port: int) -> None:
        self._server_address = host, port
        self._connections: set[_Connection] = set()
        self._listener: asyncio.Server | None = None
        self._changed = asyncio.Condition()
        self._cut = False
        self._silent = self._eating = NEITHER
        self._delay = 0.0
        self._eaten = 0

    @property
    def port(self) -> int:
        """Where clients connect, on 127.0.0.1."""
        if self._listener is None:
            raise RuntimeError("the relay is not open")
        return int(self._listener.sockets[0].getsockname()[1])

    @property
    def address(self) -> str:
        """`127.0.0.1:PORT`."""
        return f"{LOOPBACK}:{self.port}"

    async def heal(self) -> None:
        """Pass everything on again. A connection that lost bytes is cut: its stream has a hole."""
        await self._become()
        for connection in [each for each in self._connections if each.has_hole]:
            connection.cut()

    async def cut(self) -> None:
        """Reset every connection, and every new one at once."""
        await self._become(cut=True)
        for connection in list(self._connections):
            connection.cut()

    async def silence(self, direction: Direction = Direction.BOTH) -> None:
        """Hold bytes back, as when a link is down and nobody has noticed; `heal` delivers them."""
        await self._become(silent=direction)

    async def delay(self, seconds: float) -> None:
        """Hold each chunk back for a while, both ways."""
        await self._become(delay=seconds)

    async def eat(self, direction: Direction = Direction.TO_CLIENT) -> None:
        """Lose bytes: by default the server acts and its reply never arrives. `heal` or `cut` ends the connection."""
        await self._become(eating=direction)

    async def something_was_eaten(self) -> None:
        """Wait until bytes were lost since `eat`."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._eaten > 0)

    async def open(self) -> None:
        """Listen on a free port."""
        self._listener = await asyncio.start_server(self._accept, LOOPBACK, 0)

    async def close(self) -> None:
        """Cut everything and listen no more."""
        if self._listener is not None:
            self._listener.close()
        await self.cut()
        await asyncio.gather(*(each.ended for each in list(self._connections)))

    async def _become(
        self,
        *,
        cut: bool = False,
        silent: Direction = NEITHER,
        eating: Direction = NEITHER,
        delay: float = 0.0,
    ) -> None:
        async with self._changed:
            self._cut, self._silent, self._eating, self._delay, self._eaten = cut, silent, eating, delay, 0
            self._changed.notify_all()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(reader, writer)
        self._connections.add(connection)
        try:
            if not self._cut:
                await self._relay(connection)
        except OSError:
            pass  # the server is away, or one side reset the connection: the other one is to see it, too
        finally:
            connection.cut()
            self._connections.discard(connection)
            connection.ended.set_result(None)

    async def _relay(self, connection: "_Connection") -> None:
        await connection.reach(*self._server_address)
        pumps = [
            asyncio.ensure_future(self._pump(connection, way)) for way in (Direction.TO_SERVER, Direction.TO_CLIENT)
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(self, connection: "_Connection", way: Direction) -> None:
        reader, writer = connection.ends(way)
        while chunk := await reader.read(CHUNK):
            await self._until_not_silent(way)
            if way in self._eating:
                await self._lose(connection, len(chunk))
                continue
            if self._delay:
                await asyncio.sleep(self._delay)
            writer.write(chunk)
            await writer.drain()

    async def _until_not_silent(self, way: Direction) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: way not in self._silent)

    async def _lose(self, connection: "_Connection", size: int) -> None:
        connection.has_hole = True
        async with self._changed:
            self._eaten += size
            self._changed.notify_all()


class _Connection:
    """The two halves of one relayed connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._client = reader, writer
        self._server: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.has_hole = False
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def reach(self, host: str, port: int) -> None:
        self._server = await asyncio.open_connection(host, port)

    def ends(self, way: Direction) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Where to read from and where to write to."""
        if self._server is None:
            raise RuntimeError("the server was not reached")
        source, sink = (self._client, self._server) if way is Direction.TO_SERVER else (self._server, self._client)
        return source[0], sink[1]

    def cut(self) -> None:
        """Reset both halves."""
        for _, writer in filter(None, (self._client, self._server)):
            writer.transport.abort()


@asynccontextmanager
async def fault_relay(host: str, port: int) -> AsyncIterator[FaultRelay]:
    """A relay to `host:port` on a free port of loopback, for as long as the context lasts."""
    relay = FaultRelay(host, port)
    await relay.open()
    try:
        yield relay
    finally:
        await relay.close()
