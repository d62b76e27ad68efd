"""The services as processes of ours: started, waited for, watched, and ended whatever happens."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from cortex_runtime.adapters.embedded.child import INHERITED, Child, DidNotStart, Program
from grpc_health.v1 import health_pb2, health_pb2_grpc

# Loading and warming up the speech model takes seconds, on a machine with much else to do more of them.
HEALTHY_WITHIN_S = 60.0
# Loopback answers in milliseconds once the process listens.
ANSWER_WITHIN_S = 1.0
# What a service may take to end in good order, its own grace included, before it is killed.
ENDS_WITHIN_S = 10.0
# How much of a failed service's log is shown.
LAST_WORDS = 20


class ServiceEnded(Exception):
    """A service ended by itself; the message ends with the last lines of its log."""


@dataclass(frozen=True)
class Service:
    """A service to run.

    Attributes:
        name: as people call it.
        module: what `python -m` runs.
        address: where its gRPC server will listen.
        environment: its settings; secrets among them, so it is never shown.
    """

    name: str
    module: str
    address: str
    environment: Mapping[str, str] = field(repr=False)


@asynccontextmanager
async def running(services: Sequence[Service], logs: Path, say: Callable[[str], None]) -> AsyncIterator[None]:
    """Run the services while the context lasts; entered once all of them are healthy.

    Args:
        services: all of them start at once; each waits for what it needs.
        logs: the folder for their logs, one file each.
        say: gets a line for each that is ready.

    Raises:
        DidNotStart: one ended, or was not healthy in time.
        ServiceEnded: one ended by itself later on; whatever runs in the context is cancelled.
    """
    async with AsyncExitStack() as stack:
        children = [await stack.enter_async_context(_started(service, logs)) for service in services]
        async with asyncio.TaskGroup() as healthy:
            for service, child in zip(services, children, strict=True):
                healthy.create_task(_until_healthy(service, child, say))
        async with asyncio.TaskGroup() as watching:
            watchers = [watching.create_task(_watch(s, c)) for s, c in zip(services, children, strict=True)]
            try:
                yield
            finally:
                for watcher in watchers:
                    watcher.cancel()
                await asyncio.gather(*(child.stop(seconds=ENDS_WITHIN_S) for child in children))


@asynccontextmanager
async def _started(service: Service, logs: Path) -> AsyncIterator[Child]:
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    arguments = [sys.executable, "-m", service.module]
    log = logs / f"{service.name}.log"
    child = await Child.start(Program(arguments, log, environment={**inherited, **service.environment}))
    try:
        yield child
    finally:
        await child.stop(seconds=ENDS_WITHIN_S)


async def _until_healthy(service: Service, child: Child, say: Callable[[str], None]) -> None:
    async with grpc.aio.insecure_channel(service.address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)

        async def healthy() -> bool:
            try:
                answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=ANSWER_WITHIN_S)
            except grpc.aio.AioRpcError:
                return False
            return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

        try:
            await child.until_ready(healthy, HEALTHY_WITHIN_S)
        except DidNotStart as error:
            raise DidNotStart(f"{service.name} did not start: {error}") from None
    say(f"{service.name} on {service.address}")


async def _watch(service: Service, child: Child) -> None:
    code = await child.wait()
    raise ServiceEnded(f"{service.name} ended with code {code}: {child.last_words(LAST_WORDS)}")
