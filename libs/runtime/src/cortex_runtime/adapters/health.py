"""What health checks are told: `` and `readiness` follow the conditions, `liveness` holds as long as we answer."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress

from grpc_health.v1 import health, health_pb2

from cortex_runtime.readiness import Readiness

EVERYTHING, READINESS, LIVENESS = "", "readiness", "liveness"
_STATUS = {
    True: health_pb2.HealthCheckResponse.SERVING,
    False: health_pb2.HealthCheckResponse.NOT_SERVING,
}


@asynccontextmanager
async def health_of(readiness: Readiness, services: Iterable[str]) -> AsyncIterator[health.aio.HealthServicer]:
    """A health servicer that follows the readiness while the context lasts.

    Args:
        readiness: the conditions.
        services: full names of the services, which are as ready as everything.
    """
    servicer = health.aio.HealthServicer()
    names = (EVERYTHING, READINESS, *services)
    await servicer.set(LIVENESS, _STATUS[True])
    await _tell(servicer, names, readiness.ready)
    following = asyncio.create_task(_follow(readiness, servicer, names))
    try:
        yield servicer
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


async def _follow(readiness: Readiness, servicer: health.aio.HealthServicer, names: Iterable[str]) -> None:
    told = readiness.ready
    await _tell(servicer, names, told)
    while True:
        told = await readiness.changes_from(told)
        await _tell(servicer, names, told)


async def _tell(servicer: health.aio.HealthServicer, names: Iterable[str], ready: bool) -> None:
    for name in names:
        await servicer.set(name, _STATUS[ready])
