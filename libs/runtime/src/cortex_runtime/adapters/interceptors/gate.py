"""The one interceptor: every call of our own services passes through here, whatever its kind."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, nullcontext
from typing import Any, TypeAlias

import grpc
from google.protobuf.descriptor import MethodDescriptor

from cortex_runtime.adapters.interceptors.admission import Admission, grpc_ends_it, headers_of
from cortex_runtime.adapters.interceptors.call_context import AnyContext, CallContext
from cortex_runtime.adapters.interceptors.call_metrics import CallMetrics
from cortex_runtime.adapters.interceptors.drain import Drain
from cortex_runtime.adapters.interceptors.incoming import (
    MALFORMED,
    MalformedRequest,
    Resumed,
    each_valid,
    first_of,
    lenient,
    strict,
)
from cortex_runtime.adapters.interceptors.outcome import Outcome
from cortex_runtime.adapters.interceptors.passing import passing
from cortex_runtime.adapters.interceptors.spans import span
from cortex_runtime.caller import Call
from cortex_runtime.telemetry import tracing_is_on
from cortex_runtime.validation import does_validate_itself

AnyHandler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"  # generic in its stubs only
Continuation: TypeAlias = "Callable[[grpc.HandlerCallDetails], Awaitable[AnyHandler | None]]"


class Gate(grpc.aio.ServerInterceptor):
    """Admits, watches and concludes each call.

    Methods that it was not told of (health, reflection) pass, but their streams end with ours.
    """

    def __init__(self, methods: Mapping[str, MethodDescriptor], drain: Drain) -> None:
        """Guard `methods`, by the path that gRPC calls them by: `/cortex.session.v1.SessionService/GetSession`."""
        self._methods = methods
        self._drain = drain
        self._gated: dict[str, AnyHandler] = {}

    async def intercept_service(
        self,
        continuation: Continuation,
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "AnyHandler | None":
        """The handler to call, behind the gate."""
        path = handler_call_details.method
        gated = self._gated.get(path)
        if gated is not None:
            return gated
        handler = await continuation(handler_call_details)
        method = self._methods.get(path)
        if handler is None:
            return None
        if method is None:
            return self._gated.setdefault(path, passing(handler, self._drain))
        return self._gated.setdefault(path, _gated(handler, method, self._drain))


def _gated(handler: Any, method: MethodDescriptor, drain: Drain) -> AnyHandler:  # noqa: ANN401 - gRPC's own bag
    kind = ("stream" if handler.request_streaming else "unary", "stream" if handler.response_streaming else "unary")
    behaviour = getattr(handler, "_".join(kind))
    gated = _GatedMethod(method, behaviour, drain)
    parse = strict if handler.request_streaming else lenient
    make = getattr(grpc, "_".join((*kind, "rpc_method_handler")))
    wrapped: AnyHandler = make(
        gated.answer_many if handler.response_streaming else gated.answer_once,
        request_deserializer=parse(handler.request_deserializer),
        response_serializer=handler.response_serializer,
    )
    return wrapped


class _GatedMethod:
    """One method's handler with everything around it."""

    def __init__(self, method: MethodDescriptor, behaviour: Callable[..., Any], drain: Drain) -> None:
        self._admission = Admission(method)
        self._behaviour = behaviour
        self._drain = drain
        self._takes_stream = method.client_streaming
        self._checks_each = not does_validate_itself(behaviour)
        self._metrics = CallMetrics(_type_of(method), self._admission.service, method.name)

    async def answer_once(self, incoming: Any, context: AnyContext) -> Any:  # noqa: ANN401 - any method's messages
        """Serve a call that has one response."""
        with self._span(context):
            async with self._outcome(context):
                call, incoming = await self._admitted(incoming, context)
                answer = self._behaviour(incoming, CallContext(context, call))
                if grpc_ends_it(context):
                    return await answer
                async with asyncio.timeout_at(call.deadline):
                    return await answer

    async def answer_many(self, incoming: Any, context: AnyContext) -> None:  # noqa: ANN401 - any method's messages
        """Serve a call that has a stream of responses; its handler, a generator, is closed before the call ends."""
        with self._drain.stream(), self._span(context):
            async with self._outcome(context):
                call, incoming = await self._admitted(incoming, context)
                async with aclosing(self._behaviour(incoming, CallContext(context, call))) as responses:
                    async for response in responses:
                        await context.write(response)

    async def _admitted(self, incoming: Any, context: AnyContext) -> tuple[Call, Any]:  # noqa: ANN401 - the same
        if incoming is MALFORMED:
            raise MalformedRequest
        if not self._takes_stream:
            return self._admission.admit(incoming, context), incoming
        first = await first_of(incoming)
        rest = each_valid(incoming) if self._checks_each else incoming
        return self._admission.admit(first, context), Resumed(first, rest)

    def _outcome(self, context: AnyContext) -> Outcome:
        return Outcome(self._admission, self._metrics, context, self._drain)

    def _span(self, context: AnyContext) -> Any:  # noqa: ANN401 - a span, or nothing
        if not tracing_is_on():
            return nullcontext()
        return span(self._admission.service, self._admission.name, headers_of(context))


def _type_of(method: MethodDescriptor) -> str:
    """The kind of call, as grpc-prometheus names it."""
    if method.client_streaming and method.server_streaming:
        return "bidi_stream"
    if method.client_streaming:
        return "client_stream"
    return "server_stream" if method.server_streaming else "unary"
