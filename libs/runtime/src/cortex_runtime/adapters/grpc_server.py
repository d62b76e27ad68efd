"""The gRPC server of a service: health, reflection, the gate before every handler, bounded sizes, an orderly end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from cortex_runtime.adapters.health import health_of
from cortex_runtime.adapters.interceptors.drain import Drain
from cortex_runtime.adapters.interceptors.gate import Gate
from cortex_runtime.allowance import Allowance, Allowances
from cortex_runtime.failures import CannotStart
from cortex_runtime.logs import log
from cortex_runtime.readiness import Readiness
from cortex_runtime.settings import GrpcSettings
from cortex_runtime.validation import warm

LARGEST_REQUEST = 4 * 1024 * 1024  # bytes: holds the largest message of audio (10 s of stereo float at 48 kHz)
MOST_STREAMS = 1000  # calls at once on one connection; a client with more opens another one
CONNECTION_AGE_MS = 30 * 60 * 1000  # after that clients reconnect, so that new replicas get their share; streams go on
KEEPALIVE_MS = 30_000  # a silent connection is asked this often whether it is still there
KEEPALIVE_ANSWER_MS = 10_000  # and is taken for dead after that
SHORTEST_PING_MS = 10_000  # clients that ask more often are told to stop

_OPTIONS = (
    ("grpc.max_concurrent_streams", MOST_STREAMS),
    ("grpc.max_connection_age_ms", CONNECTION_AGE_MS),
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", KEEPALIVE_ANSWER_MS),
    ("grpc.http2.ping_timeout_ms", KEEPALIVE_ANSWER_MS),  # of gRPC's own pings, while which none of these is sent
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", SHORTEST_PING_MS),
    ("grpc.so_reuseport", 0),  # a second process on our port shall fail instead of taking half the calls
)


@dataclass(frozen=True)
class Served:
    """A service to serve.

    Attributes:
        service: its descriptor, for example `session_service_pb2.DESCRIPTOR.services_by_name["SessionService"]`.
        add: the generated function that registers it, for example `add_SessionServiceServicer_to_server`.
        servicer: what answers.
        drain: asks what runs for long to come to an end, and returns once it has. For at most the grace; then streams
            that still run are ended.
        allowances: the methods that may take more than `LARGEST_REQUEST` or more time than others.
    """

    service: ServiceDescriptor
    add: Callable[[Any, grpc.aio.Server], None]
    servicer: object
    drain: Callable[[], Awaitable[None]] | None = None
    allowances: Allowances = field(default_factory=dict)


@dataclass(frozen=True)
class Listening:
    """A server that takes calls. `address` is what clients connect to."""

    address: str
    port: int


@asynccontextmanager
async def grpc_server(settings: GrpcSettings, *served: Served, readiness: Readiness) -> AsyncIterator[Listening]:
    """Serve while the context lasts.

    Leaving it says NOT_SERVING, lets the servicers drain, ends streams with UNAVAILABLE, refuses new calls and gives
    running ones the grace.

    Raises:
        CannotStart: the port is taken.
    """
    methods = _methods(served)
    warm(method.input_type for method in methods.values())
    drain = Drain()
    server = _server(methods, drain, {name: one for each in served for name, one in each.allowances.items()})
    listening = _listen(server, settings)
    names = [one.service.full_name for one in served]
    async with health_of(readiness, names) as health_servicer:
        _register(server, served, health_servicer)
        if settings.reflection:
            reflection.enable_server_reflection([*names, health.SERVICE_NAME, reflection.SERVICE_NAME], server)
        await server.start()
        log().info("listening", port=listening.port)
        try:
            yield listening
        finally:
            await health_servicer.enter_graceful_shutdown()
            await _drained(served, settings.grace)
            drain.end_streams()
            await server.stop(settings.grace)


def _server(methods: dict[str, MethodDescriptor], drain: Drain, allowances: dict[str, Allowance]) -> grpc.aio.Server:
    """GRPC knows one bound for all messages, the largest; the gate keeps each method to its own."""
    gate = Gate(methods, drain, LARGEST_REQUEST, allowances)
    largest = max([LARGEST_REQUEST, *(allowance.largest_request for allowance in allowances.values())])
    return grpc.aio.server(interceptors=[gate], options=[*_OPTIONS, ("grpc.max_receive_message_length", largest)])


def _methods(served: Iterable[Served]) -> dict[str, MethodDescriptor]:
    """Every method by the path that gRPC calls it by."""
    return {f"/{one.service.full_name}/{method.name}": method for one in served for method in one.service.methods}


def _register(server: grpc.aio.Server, served: Iterable[Served], health_servicer: health.aio.HealthServicer) -> None:
    for one in served:
        one.add(one.servicer, server)
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)


def _listen(server: grpc.aio.Server, settings: GrpcSettings) -> Listening:
    try:
        port = server.add_insecure_port(settings.address)
    except RuntimeError as error:
        raise CannotStart(f"CORTEX_GRPC_PORT: cannot listen on {settings.address}") from error
    return Listening(f"{settings.address.rpartition(':')[0]}:{port}", port)


async def _drained(served: Iterable[Served], grace: float) -> None:
    hooks = [one.drain() for one in served if one.drain is not None]
    try:
        async with asyncio.timeout(grace):
            await asyncio.gather(*hooks)
    except TimeoutError:
        log().warning("drain_cut_short", took=grace)
