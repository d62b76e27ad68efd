"""Watching a session's messages over connections that come and go."""

import asyncio
from collections.abc import AsyncIterator, Callable

import grpc
from cortex.session.v1.session_service_pb2 import WatchMessagesRequest, WatchMessagesResponse

from cortex_client.backoff import Backoff
from cortex_client.errors import CallFailed, failure_of
from cortex_client.retrying import is_passing

WatchCall = grpc.aio.UnaryStreamCall[WatchMessagesRequest, WatchMessagesResponse]


async def watch(call: Callable[[int], WatchCall], after_position: int) -> AsyncIterator[WatchMessagesResponse]:
    """Every change after a position, each once, until the session is over; `call` watches from a position.

    Raises:
        CallFailed: the service refused in a way that waiting does not mend.
    """
    backoff, position, caught_up = Backoff(), after_position, False
    while True:
        watched = call(position)
        try:
            async for response in watched:
                backoff.reset()
                position = max(position, response.position)
                if response.HasField("caught_up") and caught_up:
                    continue  # the history of a resumed watch is its gap; the consumer was told of the real one
                caught_up = caught_up or response.HasField("caught_up")
                yield response
                if response.HasField("session_over"):
                    return
        except grpc.aio.AioRpcError as error:
            await asyncio.sleep(backoff.next(_retry_after(failure_of(error))))
        else:
            await asyncio.sleep(backoff.next())  # a server that drains closes the stream without an error
        finally:
            watched.cancel()


def _retry_after(failed: CallFailed) -> float | None:
    """When to go on. Raises the failure itself when going on is pointless."""
    if not is_passing(failed):
        raise failed
    return failed.retry_after
