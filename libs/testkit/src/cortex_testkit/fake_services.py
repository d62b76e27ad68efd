"""Our own services with made-up answers, for tests of what stands around every handler."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from cortex.identity.v1 import identity_service_pb2
from cortex.session.v1 import session_service_pb2
from cortex.transcriber.v1 import transcriber_service_pb2
from cortex_runtime.adapters.grpc_server import Listening, Served, grpc_server
from cortex_runtime.readiness import Readiness
from cortex_runtime.settings import GrpcSettings
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass

IDENTITY = identity_service_pb2.DESCRIPTOR.services_by_name["IdentityService"]
SESSION = session_service_pb2.DESCRIPTOR.services_by_name["SessionService"]
TRANSCRIBER = transcriber_service_pb2.DESCRIPTOR.services_by_name["TranscriberService"]


ANSWERED_WITHIN = 30.0  # seconds: far more than any test needs


def fake(service: ServiceDescriptor, **answers: Callable[..., Any]) -> Served:
    """A service whose methods are the given handlers; every other method answers an empty response, or none."""
    handlers = {method.name: _handler(method, answers.get(method.name)) for method in service.methods}

    def add(_servicer: object, server: grpc.aio.Server) -> None:
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service.full_name, handlers)])

    return Served(service, add, servicer=None)


@asynccontextmanager
async def serving(*services: Served, readiness: Readiness | None = None) -> AsyncIterator[grpc.aio.Channel]:
    """Serve them on a free port, behind everything that stands around our handlers, and yield a channel to it."""
    async with (
        listening(*services, readiness=readiness) as server,
        grpc.aio.insecure_channel(server.address) as channel,
    ):
        yield channel


@asynccontextmanager
async def listening(*services: Served, readiness: Readiness | None = None) -> AsyncIterator[Listening]:
    """The same, where a channel is not enough."""
    async with grpc_server(GrpcSettings(grace=1), *services, readiness=readiness or Readiness()) as server:
        yield server


@dataclass(frozen=True)
class Exchange:
    """What came back on a stream: responses, and the error that ended it, if any."""

    responses: list[Any]
    error: Any


async def exchange(address: str, path: str, messages: Sequence[bytes]) -> Exchange:
    """Send serialized messages on a bidirectional stream and close it; what came back, serialized.

    It uses gRPC's client for threads: when a server refuses while the asyncio one still sends, that one says INTERNAL
    "Internal error from Core" as often as what the server said.
    """
    return await asyncio.to_thread(_exchange, address, path, messages)


def _exchange(address: str, path: str, messages: Sequence[bytes]) -> Exchange:
    responses: list[Any] = []
    with grpc.insecure_channel(address) as channel:
        stream: Any = channel.stream_stream(path)
        call = stream(iter(messages), timeout=ANSWERED_WITHIN)
        try:
            for response in call:
                responses.append(response)  # noqa: PERF402 - those before an error count too
        except grpc.RpcError as error:
            return Exchange(responses, error)
    return Exchange(responses, None)


def stub(channel: grpc.aio.Channel, service: ServiceDescriptor, name: str) -> Any:  # noqa: ANN401 - four kinds of stub
    """What calls one method of a service."""
    method = service.methods_by_name[name]
    make = getattr(channel, _kind(method))
    return make(
        f"/{service.full_name}/{name}",
        request_serializer=GetMessageClass(method.input_type).SerializeToString,
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )


def _handler(method: MethodDescriptor, answer: Callable[..., Any] | None) -> Any:  # noqa: ANN401 - gRPC's own bag
    make = getattr(grpc, f"{_kind(method)}_rpc_method_handler")
    return make(
        answer or (_no_answers if method.server_streaming else _empty_answer(method)),
        request_deserializer=GetMessageClass(method.input_type).FromString,
        response_serializer=GetMessageClass(method.output_type).SerializeToString,
    )


def _kind(method: MethodDescriptor) -> str:
    sides = (method.client_streaming, method.server_streaming)
    return "_".join("stream" if streams else "unary" for streams in sides)


def _empty_answer(method: MethodDescriptor) -> Callable[..., Any]:
    async def answer(_request: object, _context: object) -> object:
        return GetMessageClass(method.output_type)()

    return answer


async def _no_answers(_request: object, _context: object) -> Any:  # noqa: ANN401 - an empty stream
    return
    yield
