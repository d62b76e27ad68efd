"""A link that dies without a word is found out."""

import asyncio

import grpc
import pytest
from cortex_client import channels
from cortex_client.channels import open_channel
from cortex_runtime.adapters.grpc_server import grpc_server
from cortex_runtime.readiness import Readiness
from cortex_runtime.settings import GrpcSettings
from cortex_testkit.fault_relay import LOOPBACK, fault_relay
from grpc_health.v1 import health_pb2, health_pb2_grpc

pytestmark = pytest.mark.integration

FOUND_OUT_WITHIN = 20.0
"""Seconds: far above both time-outs together, and far below what gRPC waits for an answer to pings of its own."""


async def test_a_silent_server_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while gRPC measures the link, which it does at every answer and which keeps other pings waiting."""
    monkeypatch.setattr(channels, "KEEPALIVE_MS", 500)
    monkeypatch.setattr(channels, "KEEPALIVE_TIMEOUT_MS", 500)
    async with (
        grpc_server(GrpcSettings(grace=0), readiness=Readiness()) as listening,
        fault_relay(LOOPBACK, listening.port) as link,
        open_channel(link.address) as channel,
    ):
        call = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        await call.read()
        await link.silence()
        with pytest.raises(grpc.aio.AioRpcError) as broke:
            async with asyncio.timeout(FOUND_OUT_WITHIN):
                await call.read()
        assert broke.value.code() is grpc.StatusCode.UNAVAILABLE
