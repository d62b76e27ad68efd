"""Channels to other services: retried where that is harmless, watched, and closed with their context.

Deadlines are given with each call (`timeout=`), never in the service config: there they fire more than a second early
(grpc/grpc 34547 and 40633).
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from opentelemetry.instrumentation.grpc import aio_client_interceptors

from cortex_runtime.telemetry import tracing_is_on

LARGEST_RESPONSE = 4 * 1024 * 1024  # bytes: above every page that our services send
KEEPALIVE_MS = 30_000  # a silent connection is asked this often whether it is still there; servers allow every 10 s
KEEPALIVE_ANSWER_MS = 10_000  # and is taken for dead after that
LONGEST_BACKOFF_MS = 2_000  # a service that comes back is found again within this time

# Every mutation carries a request id, so that asking again is harmless. UNAVAILABLE only: the rest may be an answer.
_SERVICE_CONFIG = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.05s",
                "maxBackoff": "0.5s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
}
_OPTIONS = (
    ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
    ("grpc.max_receive_message_length", LARGEST_RESPONSE),
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", KEEPALIVE_ANSWER_MS),
    ("grpc.http2.ping_timeout_ms", KEEPALIVE_ANSWER_MS),  # of gRPC's own pings, while which none of these is sent
    ("grpc.max_reconnect_backoff_ms", LONGEST_BACKOFF_MS),
)


@asynccontextmanager
async def channel_to(target: str) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to a service, for example at `127.0.0.1:7001` or `dns:///session:7000`.

    It connects when it is used and again whenever it has lost the connection.
    """
    interceptors = aio_client_interceptors() if tracing_is_on() else None  # type: ignore[no-untyped-call]
    async with grpc.aio.insecure_channel(target, options=_OPTIONS, interceptors=interceptors) as channel:
        yield channel
