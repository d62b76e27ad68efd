"""Waiting until a service's process takes calls."""

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from cortex_testkit.processes import ServiceProcess

ANSWER_WITHIN = 1.0  # seconds; a process that is starting refuses at once


async def until_serving(process: ServiceProcess, address: str) -> None:
    """Wait until the process at an address says that it is ready.

    Raises:
        DidNotStart: it ended, or never became ready.
    """

    async def serving() -> bool:
        async with grpc.aio.insecure_channel(address) as channel:
            try:
                answer = await health_pb2_grpc.HealthStub(channel).Check(
                    health_pb2.HealthCheckRequest(), timeout=ANSWER_WITHIN
                )
            except grpc.aio.AioRpcError:
                return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    await process.until_ready(serving)
