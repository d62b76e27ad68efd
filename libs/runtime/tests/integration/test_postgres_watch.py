"""Readiness follows a real PostgreSQL through its death and return."""

import asyncio
from contextlib import suppress

import grpc
import pytest
from cortex_runtime.adapters import postgres_watch
from cortex_runtime.adapters.embedded.postgres import PostgresServer
from cortex_runtime.adapters.grpc_server import grpc_server
from cortex_runtime.adapters.postgres_watch import watch_postgres
from cortex_runtime.database import DatabaseAccess
from cortex_runtime.readiness import POSTGRES, Readiness
from cortex_runtime.settings import GrpcSettings
from cortex_testkit.fault_relay import fault_relay
from grpc_health.v1 import health_pb2, health_pb2_grpc
from psycopg.conninfo import conninfo_to_dict, make_conninfo

pytestmark = pytest.mark.integration

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
SOON = 5.0
"""Seconds; with the short time-outs here a silence is noticed in a fraction of one, and a cancelled wait lasts ten."""


async def test_readiness_is_lost_and_found_again(own_postgres: PostgresServer) -> None:
    """Killing the server makes us unready, its return ready again, and the watch goes on all the while."""
    readiness = Readiness(POSTGRES)
    watching = asyncio.create_task(watch_postgres(own_postgres.dsn, readiness, every=0.05))
    async with asyncio.timeout(30):
        assert await readiness.changes_from(False)
        await own_postgres.kill()
        assert not await readiness.changes_from(True)
        await own_postgres.start()
        assert await readiness.changes_from(False)
    assert not watching.done()
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching


async def test_a_silent_server_is_no_server(database: DatabaseAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    """It accepts connections and says nothing: health turns to NOT_SERVING soon, and back when it speaks again."""
    monkeypatch.setattr(postgres_watch, "ANSWER_WITHIN", 0.2)
    parts, readiness = conninfo_to_dict(database.writer_dsn), Readiness(POSTGRES)
    async with fault_relay(str(parts["host"]), int(str(parts["port"]))) as relay:
        dsn = make_conninfo(database.writer_dsn, host="127.0.0.1", port=relay.port)
        watching = asyncio.create_task(watch_postgres(dsn, readiness, every=0.05))
        async with (
            grpc_server(GrpcSettings(grace=0), readiness=readiness) as listening,
            grpc.aio.insecure_channel(listening.address) as channel,
        ):
            health = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service="readiness"))

            async def until(status: int) -> None:
                while (await health.read()).status != status:
                    pass

            await asyncio.wait_for(until(SERVING), 30)
            for _ in range(2):
                await relay.silence()
                await asyncio.wait_for(until(NOT_SERVING), SOON)
                await relay.heal()
                await asyncio.wait_for(until(SERVING), 30)
            health.cancel()
        assert not watching.done()
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
