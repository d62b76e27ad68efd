"""`python -m cortex_<service> rebuild`: what is folded anew from the events is what was there."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import pytest
from cortex_client.client import CortexClient
from cortex_client.peer import Speaker
from cortex_runtime.adapters.roles import dsn_with
from psycopg import AsyncConnection

from tests.faults.gathering import rows, settled
from tests.faults.installation import SERVICES, Installation
from tests.faults.traffic import GATEWAY
from tests.faults.verdict import Trial

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]

READ_MODELS = "SELECT oid::regclass::text FROM pg_class WHERE relrowsecurity ORDER BY 1"
"""Every read model is guarded by row-level security, and no other table is."""

DIFFERENCE = """
SELECT count(*) FROM (
    (TABLE pg_temp.kept_{table} EXCEPT ALL TABLE public.{table})
    UNION ALL (TABLE public.{table} EXCEPT ALL TABLE pg_temp.kept_{table})
) AS different
"""

Kept = Mapping[str, AsyncConnection]


@pytest.fixture
async def present(installed: Installation) -> AsyncIterator[None]:
    """Somebody is in a room all the time: whoever left is in no row of the transcriber's."""
    async with CortexClient(installed.addresses, str(uuid.uuid4())) as cortex:
        session = (await cortex.create_session("room", GATEWAY)).session
        async with cortex.audio_stream(session.id) as audio:
            sender = await audio.join(Speaker("connection", "ada", datetime.now(UTC)))
            yield
            sender.leave()


@pytest.mark.usefixtures("present")
async def test_what_is_rebuilt_is_what_was_there(trial: Trial, installed: Installation) -> None:
    """Thrown away under traffic, the read models are exact when it is over; rebuilt once more, no row differs."""
    before = await rebuilds(installed)
    async with trial.nothing_is_lost() as traffic:
        await rebuild(installed)
        await traffic.goes_on()
    assert await rebuilds(installed) == {service: times + 1 for service, times in before.items()}
    async with kept_rows(installed) as kept:
        await rebuild(installed)
        await settled(installed)
        assert await differences(kept) == {}


async def rebuild(installed: Installation) -> None:
    """Of every service at once."""
    await asyncio.gather(*(installed.run(service, "rebuild") for service in SERVICES))


async def rebuilds(installed: Installation) -> Mapping[str, int]:
    """How often each service's read models were thrown away."""
    return {
        service: int((await rows(installed, service, "SELECT sum(rebuilds) FROM cortex_checkpoints"))[0][0])
        for service in SERVICES
    }


@asynccontextmanager
async def kept_rows(installed: Installation) -> AsyncIterator[Kept]:
    """A copy of every read model as it is now, visible on the connections that come back."""
    async with AsyncExitStack() as open_connections:
        kept: dict[str, AsyncConnection] = {}
        for service in SERVICES:
            dsn = dsn_with(installed.servers.postgres.dsn, dbname=service)
            connection = await AsyncConnection.connect(dsn, autocommit=True)
            kept[service] = await open_connections.enter_async_context(connection)
            for table in await tables(connection):
                copied = await connection.execute(f"CREATE TEMPORARY TABLE kept_{table} AS TABLE {table}")
                assert copied.rowcount > 0, f"{table} is empty: nothing would be compared"
        yield kept


async def tables(connection: AsyncConnection) -> list[str]:
    found = [str(row[0]) for row in await (await connection.execute(READ_MODELS)).fetchall()]
    assert found
    return found


async def differences(kept: Kept) -> Mapping[str, int]:
    """How many rows of each read model are not what they were; those without any are left out."""
    return {
        f"{service}.{table}": count
        for service, connection in kept.items()
        for table in await tables(connection)
        if (count := (await (await connection.execute(DIFFERENCE.format(table=table))).fetchall())[0][0])
    }
