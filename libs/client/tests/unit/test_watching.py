"""Watching over connections that break."""

from collections.abc import AsyncIterator
from typing import cast

import grpc
import pytest
from cortex.session.v1 import session_service_pb2 as pb
from cortex.session.v1.resources_pb2 import Message
from cortex_client.errors import NotFound
from cortex_client.testing import broken
from cortex_client.watching import WatchCall, watch

pytestmark = pytest.mark.unit

CAUGHT_UP = pb.WatchMessagesResponse(caught_up=pb.CaughtUp(), position=1)
OVER = pb.WatchMessagesResponse(session_over=pb.SessionOver(), position=9)


def message(position: int) -> pb.WatchMessagesResponse:
    return pb.WatchMessagesResponse(message=Message(id=str(position)), position=position)


class Watches:
    """Each call plays the next script; what it was asked for is remembered."""

    def __init__(self, *scripts: list[pb.WatchMessagesResponse | Exception]) -> None:
        self._scripts = iter(scripts)
        self.asked: list[int] = []

    def __call__(self, position: int) -> WatchCall:
        self.asked.append(position)
        return cast("WatchCall", Played(next(self._scripts)))


class Played:
    def __init__(self, script: list[pb.WatchMessagesResponse | Exception]) -> None:
        self._script = script
        self.cancelled = False

    def cancel(self) -> bool:
        self.cancelled = True
        return True

    async def __aiter__(self) -> AsyncIterator[pb.WatchMessagesResponse]:
        for step in self._script:
            if isinstance(step, Exception):
                raise step
            yield step


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL])
async def test_a_broken_watch_goes_on_after_the_last_position(code: grpc.StatusCode) -> None:
    """Each message comes once, whether the connection breaks, however gRPC calls that, or the server drains."""
    watches = Watches([message(1), message(2), broken(code)], [message(4)], [message(7), OVER])
    got = [response.position async for response in watch(watches, 0)]
    assert got == [1, 2, 4, 7, 9]
    assert watches.asked == [0, 2, 4]


async def test_the_marker_comes_once() -> None:
    """A consumer is told once that the history is over, not after each break."""
    watches = Watches([message(1), CAUGHT_UP, broken()], [CAUGHT_UP, OVER])
    got = [response.WhichOneof("change") async for response in watch(watches, 0)]
    assert got == ["message", "caught_up", "session_over"]


async def test_an_interim_text_moves_no_position() -> None:
    """Interim texts carry no position, so that a resumed watch does not start from the beginning."""
    interim = pb.WatchMessagesResponse(interim=pb.Interim(text="so far"))
    watches = Watches([message(3), interim, broken()], [OVER])
    assert [response.position async for response in watch(watches, 0)] == [3, 0, 9]
    assert watches.asked == [0, 3]


async def test_a_refusal_is_raised() -> None:
    """An unknown session does not appear by waiting."""
    with pytest.raises(NotFound):
        _ = [response async for response in watch(Watches([broken(grpc.StatusCode.NOT_FOUND)]), 0)]
