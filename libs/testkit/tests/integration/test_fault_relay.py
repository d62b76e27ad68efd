"""A relay that does what networks do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from cortex_testkit.fault_relay import Direction, FaultRelay, fault_relay

pytestmark = pytest.mark.integration

# What does not come by then does not come; nothing waits for it to pass.
PATIENCE = 30.0


class Server:
    """Answers each line in capitals, and remembers what it got."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.arrived = asyncio.Condition()
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                async with self.arrived:
                    self.heard.append(line.strip())
                    self.arrived.notify_all()
                writer.write(line.upper())
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def until_heard(self, line: bytes) -> None:
        async with asyncio.timeout(PATIENCE), self.arrived:
            await self.arrived.wait_for(lambda: line in self.heard)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    serving = Server()
    async with await asyncio.start_server(serving.serve, "127.0.0.1", 0) as listener:
        serving.port = listener.sockets[0].getsockname()[1]
        yield serving


@pytest.fixture
async def relay(server: Server) -> AsyncIterator[FaultRelay]:
    async with fault_relay("127.0.0.1", server.port) as relay:
        yield relay


class Client:
    """Says lines and waits for answers."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def say(self, line: bytes) -> None:
        self.writer.write(line + b"\n")

    async def answer(self) -> bytes:
        """The next answer; empty, or ConnectionError, when the connection was cut."""
        async with asyncio.timeout(PATIENCE):
            return (await self.reader.readline()).strip()

    async def is_cut(self) -> bool:
        try:
            return await self.answer() == b""
        except ConnectionError:
            return True


def connected(relay: FaultRelay) -> AbstractAsyncContextManager[Client]:
    @asynccontextmanager
    async def connecting() -> AsyncIterator[Client]:
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        try:
            yield Client(reader, writer)
        finally:
            writer.transport.abort()

    return connecting()


async def test_passes_everything_on(relay: FaultRelay) -> None:
    """Without a fault it is a wire."""
    async with connected(relay) as client:
        client.say(b"spoken")
        assert await client.answer() == b"SPOKEN"


async def test_cuts_and_heals(relay: FaultRelay) -> None:
    """While cut, old and new connections end; afterwards new ones work."""
    async with connected(relay) as old:
        old.say(b"spoken")
        await old.answer()
        await relay.cut()
        assert await old.is_cut()
    async with connected(relay) as refused:
        assert await refused.is_cut()
    await relay.heal()
    async with connected(relay) as new:
        new.say(b"again")
        assert await new.answer() == b"AGAIN"


async def test_silence_holds_back_and_delivers_later(relay: FaultRelay, server: Server) -> None:
    """Nothing arrives while silent, everything afterwards, on the same connection."""
    async with connected(relay) as client:
        client.say(b"first")
        await client.answer()
        await relay.silence()
        client.say(b"second")
        async with connected(relay) as other:
            other.say(b"third")
            assert server.heard == [b"first"]
            await relay.heal()
            assert (await client.answer(), await other.answer()) == (b"SECOND", b"THIRD")


async def test_silence_can_be_one_way(relay: FaultRelay, server: Server) -> None:
    """The server hears, and its answer waits."""
    async with connected(relay) as client:
        await relay.silence(Direction.TO_CLIENT)
        client.say(b"spoken")
        await server.until_heard(b"spoken")
        await relay.heal()
        assert await client.answer() == b"SPOKEN"


async def test_eats_a_reply(relay: FaultRelay, server: Server) -> None:
    """The server has acted, and the client never learns of it: the connection ends without the answer."""
    async with connected(relay) as client:
        await relay.eat()
        client.say(b"spoken")
        async with asyncio.timeout(PATIENCE):
            await relay.something_was_eaten()
        assert server.heard == [b"spoken"]
        await relay.heal()
        assert await client.is_cut()


async def test_delays_and_loses_nothing(relay: FaultRelay) -> None:
    """A slow link is only slow."""
    async with connected(relay) as client:
        await relay.delay(0.001)
        for number in range(20):
            client.say(b"%d" % number)
        assert [await client.answer() for _ in range(20)] == [b"%d" % number for number in range(20)]


async def test_a_server_that_is_away_cuts_the_client() -> None:
    """The relay itself never hides that nobody is there."""
    async with fault_relay("127.0.0.1", 9) as relay, connected(relay) as client:
        assert await client.is_cut()


async def test_leaves_no_connection_behind(server: Server) -> None:
    """The end of the context ends every connection, silent ones, too."""
    async with fault_relay("127.0.0.1", server.port) as relay:
        await relay.silence()
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    assert await Client(reader, writer).is_cut()
    writer.close()
