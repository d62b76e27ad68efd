"""Readiness follows a real PostgreSQL through its death and return."""

import asyncio
from contextlib import suppress

import pytest
from cortex_runtime.adapters.embedded.postgres import PostgresServer
from cortex_runtime.adapters.postgres_watch import watch_postgres
from cortex_runtime.readiness import POSTGRES, Readiness

pytestmark = pytest.mark.integration


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
