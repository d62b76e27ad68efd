"""A connection to NATS that is made in the background and never given up."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import nats
import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.js import JetStreamContext

from cortex_eventing.backoff import waits
from cortex_eventing.cancelling import cancel_until_ended
from cortex_eventing.stream_ports import StreamAway

log = logging.getLogger(__name__)

RECONNECT_WAIT = 0.1
"""Seconds. With nats-py's own 2 s the first call after a server's restart took 5 s."""
CONNECT_WITHIN = 2
"""Seconds."""
REACHED_WITHIN = 5.0
"""Seconds until a task tells its operator that NATS is away: a second attempt fits in."""
REQUEST_WITHIN = 2.0
"""Seconds for an answer of the JetStream API, which takes a millisecond when all is well."""
CLOSE_WITHIN = 2.0
"""Seconds. Nothing that is still unsent matters: the relay starts from the stream's end."""
PING_EVERY = 5
"""Seconds. Two unanswered pings show a server that fell silent."""


class Nats:
    """A connection that may be away at any moment. Make it with `connected`."""

    def __init__(self) -> None:
        self._client = Client()
        self._on_loss: set[Callable[[], None]] = set()
        self._last_error = ""

    @property
    def is_connected(self) -> bool:
        """Whether the server is there, as far as is known."""
        return self._client.is_connected

    @property
    def client(self) -> Client:
        """The client, connected.

        Raises:
            StreamAway: it is not.
        """
        if not self._client.is_connected:
            raise StreamAway("NATS")
        return self._client

    @property
    def jetstream(self) -> JetStreamContext:
        """The JetStream API. Raises as `client` does."""
        return self.client.jetstream(timeout=REQUEST_WITHIN)

    @contextmanager
    def on_loss(self, told: Callable[[], None]) -> Iterator[None]:
        """Call `told` when the connection breaks, as long as the context lasts."""
        self._on_loss.add(told)
        try:
            yield
        finally:
            self._on_loss.discard(told)

    async def keep_connecting(self, url: str, name: str) -> None:
        """Connect, however long it takes; from then on the client reconnects by itself."""
        for pause in waits():
            try:
                await self._client.connect(
                    url,
                    name=name,
                    error_cb=self._on_error,
                    disconnected_cb=self._on_disconnect,
                    reconnected_cb=self._on_reconnect,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=RECONNECT_WAIT,  # type: ignore[arg-type]  # a float works, and is needed
                    connect_timeout=CONNECT_WITHIN,
                    ping_interval=PING_EVERY,
                )
            except (OSError, TimeoutError, nats.errors.Error) as error:
                log.warning("NATS cannot be reached: %s", type(error).__name__)
                await asyncio.sleep(pause)
            else:
                return

    async def close(self) -> None:
        """Close the connection."""
        with suppress(TimeoutError, OSError, nats.errors.Error):
            async with asyncio.timeout(CLOSE_WITHIN):
                await self._client.close()

    async def _on_error(self, error: Exception) -> None:
        # Once per kind: while the server is away there is one every RECONNECT_WAIT.
        if type(error).__name__ != self._last_error:
            self._last_error = type(error).__name__
            log.warning("NATS: %s", self._last_error)

    async def _on_reconnect(self) -> None:
        log.info("NATS is back")
        self._last_error = ""

    async def _on_disconnect(self) -> None:
        for told in tuple(self._on_loss):
            told()


@asynccontextmanager
async def connected(url: str, name: str) -> AsyncIterator[Nats]:
    """A connection for as long as the context lasts. It begins at once, connected or not.

    Args:
        url: one address, or several with commas between them.
        name: what the server's list of connections shows.
    """
    connection = Nats()
    connecting = asyncio.create_task(connection.keep_connecting(url, name), name="nats")
    try:
        yield connection
    finally:
        await cancel_until_ended(connecting)
        await connection.close()


@asynccontextmanager
async def connected_now(url: str, name: str) -> AsyncIterator[Nats]:
    """A connection that is there: for tasks that do one thing and end. Arguments as for `connected`.

    Raises:
        StreamAway: the server cannot be reached.
    """
    connection = Nats()
    try:
        async with asyncio.timeout(REACHED_WITHIN):
            await connection.keep_connecting(url, name)
    except TimeoutError:
        await connection.close()
        raise StreamAway("NATS") from None
    try:
        yield connection
    finally:
        await connection.close()


@contextmanager
def away_as_stream_away() -> Iterator[None]:
    """Turn nats-py's errors about the server and the connection into ours."""
    try:
        yield
    except (nats.errors.Error, nats.js.errors.Error, TimeoutError, OSError) as error:
        why = error.description if isinstance(error, nats.js.errors.APIError) else None
        raise StreamAway(f"NATS ({why or type(error).__name__})") from error
