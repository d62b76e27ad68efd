"""Calls that pass the gate untouched, health and reflection: only their streams end when ours do.

A health watch lasts as long as it is let; without this every stop would take the whole grace, or cut all calls off.
"""

import asyncio
from typing import Any

import grpc

from cortex_runtime.adapters.interceptors.call_context import AnyContext
from cortex_runtime.adapters.interceptors.drain import Drain


def passing(handler: Any, drain: Drain) -> Any:  # noqa: ANN401 - gRPC's own bag
    """The handler itself, or for a stream of responses the same one as a stream that the drain ends."""
    if not handler.response_streaming:
        return handler
    kind = "stream_stream" if handler.request_streaming else "unary_stream"
    make = getattr(grpc, f"{kind}_rpc_method_handler")
    return make(
        _Ended(getattr(handler, kind), drain).answer_many,
        request_deserializer=handler.request_deserializer,
        response_serializer=handler.response_serializer,
    )


class _Ended:
    def __init__(self, behaviour: Any, drain: Drain) -> None:  # noqa: ANN401 - either kind of handler
        self._behaviour = behaviour
        self._drain = drain

    async def answer_many(self, incoming: object, context: AnyContext) -> None:
        with self._drain.stream():
            try:
                await self._answer(incoming, context)
            except asyncio.CancelledError:
                if not self._drain.ended_this_call():
                    raise
                await context.abort(grpc.StatusCode.UNAVAILABLE, "this server stops")

    async def _answer(self, incoming: object, context: AnyContext) -> None:
        answering = self._behaviour(incoming, context)
        if not hasattr(answering, "__aiter__"):
            await answering
            return
        async for response in answering:
            await context.write(response)
