"""All that a few services need on a machine where nothing is: both servers, and a database each."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cortex_runtime.adapters.embedded.nats import NatsServer, embedded_nats
from cortex_runtime.adapters.embedded.postgres import PostgresServer, embedded_postgres
from cortex_runtime.adapters.roles import create_service_database
from cortex_runtime.database import DatabaseAccess

# Random bytes of a claim key; twice as many characters, well over what the settings ask for.
CLAIM_KEY_BYTES = 32


@dataclass(frozen=True)
class EmbeddedServers:
    """The running servers, and what each service's process must find in its environment."""

    postgres: PostgresServer
    nats: NatsServer
    environments: Mapping[str, Mapping[str, str]] = field(repr=False)


@asynccontextmanager
async def embedded_servers(services: Sequence[str], folder: Path | None = None) -> AsyncIterator[EmbeddedServers]:
    """PostgreSQL and NATS on loopback, with an empty database and its three roles for each service.

    Args:
        services: their names, which become the databases' names.
        folder: keeps everything from one run to the next; without it everything goes with the context.

    Raises:
        DidNotStart: a server would not start.
        PermissionError: as root, the unprivileged user of PostgreSQL cannot reach the folder.
    """
    async with (
        embedded_postgres(folder and folder / "postgres") as postgres,
        embedded_nats(folder and folder / "nats") as nats,
    ):
        claim_key = await asyncio.to_thread(_claim_key, folder)
        databases = {service: await create_service_database(postgres.dsn, service) for service in services}
        environments = {
            service: service_environment(access, nats.url, claim_key) for service, access in databases.items()
        }
        yield EmbeddedServers(postgres, nats, environments)


def service_environment(access: DatabaseAccess, nats_url: str, claim_key: str) -> dict[str, str]:
    """The variables of `ServiceSettings` that have no default."""
    return {
        "CORTEX_POSTGRES_OWNER_DSN": access.owner_dsn,
        "CORTEX_POSTGRES_WRITER_DSN": access.writer_dsn,
        "CORTEX_POSTGRES_READER_DSN": access.reader_dsn,
        "CORTEX_NATS_URL": nats_url,
        "CORTEX_CLAIM_KEY": claim_key,
    }


def _claim_key(folder: Path | None) -> str:
    """The key of the last run, where there is one: stored claims are hashed under it."""
    if folder is None:
        return secrets.token_hex(CLAIM_KEY_BYTES)
    path = folder / "claim.key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(CLAIM_KEY_BYTES), encoding="ascii")
    return path.read_text(encoding="ascii")
