"""nats-server as the demo and the tests run it: JetStream on loopback, one address for its whole life."""

from pathlib import Path

import nats
import pytest
from cortex_runtime.adapters.embedded import NatsServer, embedded_nats
from nats.js.errors import NotFoundError

pytestmark = pytest.mark.integration

SUBJECT = "kept.messages"


async def store(server: NatsServer, body: bytes) -> None:
    """One message in a stream on file."""
    connection = await nats.connect(server.url)
    jetstream = connection.jetstream()
    await jetstream.add_stream(name="kept", subjects=[SUBJECT])
    await jetstream.publish(SUBJECT, body)
    await connection.close()


async def stored(server: NatsServer) -> bytes | None:
    """The last message of that stream."""
    connection = await nats.connect(server.url)
    try:
        return (await connection.jetstream().get_last_msg("kept", SUBJECT)).data
    finally:
        await connection.close()


async def test_keeps_what_was_acknowledged_over_a_crash() -> None:
    """A killed server comes back under the same address with every acknowledged message."""
    async with embedded_nats() as server:
        url, pid = server.url, server.pid
        await store(server, b"spoken")
        await server.kill()
        await server.restart()
        assert (server.url, await stored(server)) == (url, b"spoken")
        assert server.pid != pid


async def test_a_wiped_server_has_lost_its_streams() -> None:
    """The disk is gone, the address is not."""
    async with embedded_nats() as server:
        await store(server, b"spoken")
        await server.wipe()
        await server.restart()
        with pytest.raises(NotFoundError):
            await stored(server)


@pytest.mark.parametrize("name", ["a folder", 'a "quoted" folder', "a\\folder", "dossier été"])
async def test_a_folder_keeps_its_messages_from_run_to_run(tmp_path: Path, name: str) -> None:
    """Whatever the folder is called, the second run finds the first one's messages in it."""
    async with embedded_nats(tmp_path / name) as first:
        await store(first, b"spoken")
    async with embedded_nats(tmp_path / name) as second:
        assert await stored(second) == b"spoken"


async def test_listens_on_the_port_that_was_asked_for() -> None:
    """A port that the settings name is used; it is on loopback."""
    async with embedded_nats() as other:
        port = other.port
    async with embedded_nats(port=port) as server:
        assert server.url == f"nats://127.0.0.1:{port}"


async def test_a_taken_port_is_an_error() -> None:
    """Somebody else's server is never mistaken for ours."""
    async with embedded_nats() as first:
        with pytest.raises(RuntimeError, match="address already in use"):
            async with embedded_nats(port=first.port):
                pass
