"""The one interceptor: every call of our own services passes through here, whatever its kind."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, nullcontext
from typing import Any, TypeAlias

import grpc
from cortex_eventing.errors import InvalidInput
from google.protobuf.descriptor import MethodDescriptor

from cortex_runtime.adapters.interceptors.admission import Admission, headers_of
from cortex_runtime.adapters.interceptors.call_context import AnyContext, CallContext
from cortex_runtime.adapters.interceptors.call_metrics import CallMetrics
from cortex_runtime.adapters.interceptors.drain import Drain
from cortex_runtime.adapters.interceptors.incoming import (
    Resumed,
    each_valid,
    first_of,
    lenient,
    strict,
)
from cortex_runtime.adapters.interceptors.outcome import Outcome
from cortex_runtime.adapters.interceptors.passing import passing
from cortex_runtime.adapters.interceptors.spans import span
from cortex_runtime.allowance import Allowance, Allowances
from cortex_runtime.caller import Call
from cortex_runtime.telemetry import tracing_is_on
from cortex_runtime.validation import does_validate_itself

AnyHandler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"  # generic in its stubs only
Continuation: TypeAlias = "Callable[[grpc.HandlerCallDetails], Awaitable[AnyHandler | None]]"


class Gate(grpc.aio.ServerInterceptor):
    """Admits, watches and concludes each call.

    Methods that it was not told of (health, reflection) pass, but their streams end with ours.
    """

    def __init__(
        self, methods: Mapping[str, MethodDescriptor], drain: Drain, largest_request: int, allowances: Allowances
    ) -> None:
        """Guard methods.

        Args:
            methods: by the path that gRPC calls them by: `/cortex.session.v1.SessionService/GetSession`.
            drain: ends streams when the process stops.
            largest_request: bytes, for methods without an allowance.
            allowances: of those that have one.
        """
        self._methods = methods
        self._largest = largest_request
        self._allowances = allowances
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
        return self._gated.setdefault(path, self._gate(handler, method))

    def _gate(self, handler: Any, method: MethodDescriptor) -> AnyHandler:  # noqa: ANN401 - gRPC's own bag
        allowance = self._allowances.get(method.name)
        largest = allowance.largest_request if allowance else self._largest
        return _gated(handler, _GatedMethod(method, _behaviour(handler), self._drain, allowance), largest)


def _behaviour(handler: Any) -> Callable[..., Any]:  # noqa: ANN401 - gRPC's own bag
    behaviour: Callable[..., Any] = getattr(handler, "_".join(_kind(handler)))
    return behaviour


def _kind(handler: Any) -> tuple[str, str]:  # noqa: ANN401 - gRPC's own bag
    return "stream" if handler.request_streaming else "unary", "stream" if handler.response_streaming else "unary"


def _gated(handler: Any, gated: "_GatedMethod", largest: int) -> AnyHandler:  # noqa: ANN401 - gRPC's own bag
    parse = strict if handler.request_streaming else lenient
    make = getattr(grpc, "_".join((*_kind(handler), "rpc_method_handler")))
    wrapped: AnyHandler = make(
        gated.answer_many if handler.response_streaming else gated.answer_once,
        request_deserializer=parse(handler.request_deserializer, largest),
        response_serializer=handler.response_serializer,
    )
    return wrapped


class _GatedMethod:
    """One method's handler with everything around it."""

    def __init__(
        self, method: MethodDescriptor, behaviour: Callable[..., Any], drain: Drain, allowance: Allowance | None
    ) -> None:
        self._admission = Admission(method, allowance)
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
                if self._admission.grpc_ends_it(context):
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
                        with self._drain.writing():
                            await context.write(response)

    async def _admitted(self, incoming: Any, context: AnyContext) -> tuple[Call, Any]:  # noqa: ANN401 - the same
        if isinstance(incoming, InvalidInput):
            raise incoming
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
