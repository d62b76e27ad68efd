"""Connections to the services, and what is repeated on them without the caller's doing."""

import json

import grpc

# UNAVAILABLE means that the request was not answered; mutations carry a request id, so sending one again is harmless.
RETRY_POLICY = {
    "maxAttempts": 4,
    "initialBackoff": "0.05s",
    "maxBackoff": "0.5s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
# Only these are retried by the channel. Streams resume by position or watermark, which the channel knows nothing of.
RETRIED_SERVICES = ("cortex.identity.v1.IdentityService", "cortex.session.v1.SessionService")
STREAMS = ({"service": "cortex.session.v1.SessionService", "method": "WatchMessages"},)

# A stream carries no deadline: a silent peer is found out by pings. Servers refuse pings more often than every 10 s.
KEEPALIVE_MS = 15_000
# While another ping of gRPC's own is on its way (it measures the link by them), none of these is sent, and the time-out
# of that one, 60 s by default, is what counts.
KEEPALIVE_TIMEOUT_MS = 5_000
# A service that comes back is found within this, also after a long absence.
MAX_RECONNECT_MS = 1_000


def service_config() -> str:
    """The service config as JSON. It names no time-out: gRPC fires those early (grpc/grpc#34547)."""
    retried = {"name": [{"service": name} for name in RETRIED_SERVICES], "retryPolicy": RETRY_POLICY}
    return json.dumps({"methodConfig": [retried, {"name": list(STREAMS)}]})


def open_channel(address: str) -> grpc.aio.Channel:
    """A channel to one service; it connects when it is first used."""
    options = [
        ("grpc.service_config", service_config()),
        ("grpc.keepalive_time_ms", KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
        ("grpc.http2.ping_timeout_ms", KEEPALIVE_TIMEOUT_MS),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", MAX_RECONNECT_MS),
    ]
    return grpc.aio.insecure_channel(address, options=options)
