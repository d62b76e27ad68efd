"""One installation for many tests: each finds it whole, and after a test that failed there is another one."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from nats.js.errors import NotFoundError

from tests.faults.evidence import STREAMS
from tests.faults.gathering import jetstream, rows, settled
from tests.faults.installation import SERVICES, Installation, installation


class Stage:
    """Where the tests take place, one after the other.

    Args:
        logs: makes a folder for one installation's logs.
    """

    def __init__(self, logs: Callable[[], Path]) -> None:
        self._logs = logs
        self._open = AsyncExitStack()
        self._installed: Installation | None = None

    async def set(self) -> Installation:
        """The installation, running, its streams whole."""
        if self._installed is None:
            self._installed = await self._open.enter_async_context(installation(self._logs()))
        else:
            await made_whole(self._installed)
        return self._installed

    async def clear(self) -> None:
        """End the installation. Whatever a failed test left in its stores is nobody else's trouble."""
        self._installed = None
        await self._open.aclose()


async def made_whole(installed: Installation) -> None:
    """Have every service run, and every stream hold what its store holds.

    Raises:
        AssertionError: something that is stored is not published, or not read, in time.
    """
    await installed.mend()
    for service in SERVICES:
        if await _is_emptied(installed, service):
            await _delete(installed, service)
    await settled(installed)
    for service in SERVICES:
        if await _has_holes(installed, service):
            await _delete(installed, service)
    await settled(installed)


async def _is_emptied(installed: Installation, service: str) -> bool:
    """Whether the relay waits for an operator's word."""
    async with jetstream(installed.servers.nats.url) as broker:
        try:
            state = (await broker.stream_info(STREAMS[service])).state
        except NotFoundError:
            return False
    return state.messages == 0 and state.last_seq > 0


async def _has_holes(installed: Installation, service: str) -> bool:
    stored = await rows(installed, service, "SELECT count(*) FROM stored_events")
    async with jetstream(installed.servers.nats.url) as broker:
        there = (await broker.stream_info(STREAMS[service])).state.messages
    return there != int(stored[0][0])


async def _delete(installed: Installation, service: str) -> None:
    """Its relay makes it anew."""
    async with jetstream(installed.servers.nats.url) as broker:
        await broker.delete_stream(STREAMS[service])
