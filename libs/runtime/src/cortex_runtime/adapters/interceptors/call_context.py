"""The context that handlers get: gRPC's own, and the call as it was admitted."""

from typing import Any

import grpc

from cortex_runtime.caller import Call

AnyContext = grpc.aio.ServicerContext[Any, Any]


class CallContext:
    """gRPC's context with `call`; everything else goes through to it."""

    __slots__ = ("_context", "call")

    def __init__(self, context: AnyContext, call: Call) -> None:
        self._context = context
        self.call = call

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever gRPC's context has
        return getattr(self._context, name)
