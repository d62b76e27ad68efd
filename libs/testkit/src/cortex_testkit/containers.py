"""PostgreSQL and NATS from testcontainers, for machines where Docker answers.

Where no Docker is, only the configuration of the containers is tested: images, commands, and how addresses are built.
Nobody has seen them start there.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from cortex_runtime.adapters.embedded.postgres import MAX_CONNECTIONS

# The versions that the embedded servers have.
POSTGRES_IMAGE = "postgres:18.4"
NATS_IMAGE = "nats:2.15.1"

# The servers' own ports, inside the container.
POSTGRES_PORT = 5432
NATS_PORT = 4222

NATS_READY = "Server is ready"

POSTGRES_COMMAND = f"postgres -c max_connections={MAX_CONNECTIONS} -c wal_recycle=off -c min_wal_size=32MB"


@asynccontextmanager
async def postgres_container() -> AsyncIterator[str]:
    """A superuser's connection string to a PostgreSQL in a container."""
    container = await asyncio.to_thread(configured_postgres)
    await asyncio.to_thread(container.start)
    try:
        yield container.get_connection_url()
    finally:
        await asyncio.to_thread(container.stop)


@asynccontextmanager
async def nats_container() -> AsyncIterator[str]:
    """The address of a NATS with JetStream in a container."""
    container = await asyncio.to_thread(configured_nats)
    await asyncio.to_thread(container.start)
    try:
        yield f"nats://{container.get_container_host_ip()}:{container.get_exposed_port(NATS_PORT)}"
    finally:
        await asyncio.to_thread(container.stop)


def configured_postgres() -> Any:  # noqa: ANN401 - the package ships no types
    """The container, not started. Raises DockerException where no Docker answers."""
    from testcontainers.community.postgres import PostgresContainer

    return PostgresContainer(POSTGRES_IMAGE, driver=None).with_command(POSTGRES_COMMAND)


def configured_nats() -> Any:  # noqa: ANN401 - the package ships no types
    """The container, not started. Raises DockerException where no Docker answers."""
    # Not testcontainers' own NatsContainer: importing it warns, and warnings are errors here.
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy

    container = DockerContainer(NATS_IMAGE).with_command("--jetstream").with_exposed_ports(NATS_PORT)
    return container.waiting_for(LogMessageWaitStrategy(NATS_READY))
