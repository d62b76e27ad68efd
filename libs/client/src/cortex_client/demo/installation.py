"""Everything that the demo runs on: PostgreSQL, NATS and the three services, for as long as it takes."""

import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cortex_runtime.adapters.embedded import embedded_nats, embedded_postgres
from cortex_runtime.adapters.embedded.ports import LOOPBACK, free_port
from cortex_runtime.adapters.embedded.servers import CLAIM_KEY_BYTES, service_environment
from cortex_runtime.adapters.roles import create_service_database
from cortex_runtime.database import DatabaseAccess

from cortex_client.client import Addresses
from cortex_client.demo.supervisor import Service, running

# A service that is asked to stop gives running calls so many seconds; the demo's calls have ended by then.
GRACE_S = 2
NAMES = ("identity", "session", "transcriber")
# Where `make setup` puts the speech model, seen from the repository, unless the variable names another place.
MODEL_DIR, SHIPPED_MODEL = "CORTEX_MODEL_DIR", Path(".cache/models/moonshine-tiny-en")


@dataclass(frozen=True)
class Ports:
    """Where things listen on loopback; None for any free port."""

    identity: int | None = None
    session: int | None = None
    transcriber: int | None = None
    nats: int | None = None


@dataclass(frozen=True)
class Installation:
    """A running installation."""

    addresses: Addresses
    nats_url: str


@asynccontextmanager
async def installation(ports: Ports, say: Callable[[str], None]) -> AsyncIterator[Installation]:
    """PostgreSQL, NATS and the services while the context lasts; nothing of it is left afterwards.

    Args:
        ports: where to listen.
        say: gets a line for each step that is done.

    Raises:
        DidNotStart: something ended, or was not ready in time.
        ServiceEnded: a service ended by itself later on.
    """
    with _logs(say) as logs:
        async with embedded_postgres() as postgres:
            say("PostgreSQL")
            async with embedded_nats(port=ports.nats) as nats:
                say(f"NATS on {nats.url}")
                databases = {name: await create_service_database(postgres.dsn, name) for name in NAMES}
                say("a database for each service")
                addresses = _addresses(ports)
                async with running(_services(addresses, databases, nats.url), logs, say):
                    yield Installation(addresses, nats.url)


@contextmanager
def _logs(say: Callable[[str], None]) -> Iterator[Path]:
    """A folder for the services' logs, which stays when something failed, so that they can be read."""
    folder = Path(tempfile.mkdtemp(prefix="cortex-logs-"))
    try:
        yield folder
    except Exception:
        say(f"the logs of the services are in {folder}")
        raise
    except BaseException:
        shutil.rmtree(folder)
        raise
    shutil.rmtree(folder)


def _addresses(ports: Ports) -> Addresses:
    chosen = {name: getattr(ports, name) or free_port() for name in NAMES}
    return Addresses(**{name: f"{LOOPBACK}:{port}" for name, port in chosen.items()})


def _services(addresses: Addresses, databases: dict[str, DatabaseAccess], nats_url: str) -> list[Service]:
    claim_key = secrets.token_hex(CLAIM_KEY_BYTES)
    shared = {f"CORTEX_{name.upper()}_ADDRESS": getattr(addresses, name) for name in NAMES}
    shared[MODEL_DIR] = str(Path(os.environ.get(MODEL_DIR) or SHIPPED_MODEL).absolute())
    return [
        Service(
            name,
            f"cortex_{name}",
            getattr(addresses, name),
            {
                **service_environment(databases[name], nats_url, claim_key),
                **shared,
                "CORTEX_GRPC_PORT": getattr(addresses, name).rpartition(":")[2],
                "CORTEX_GRPC_GRACE": str(GRACE_S),
                # Three speakers need no measured plan; the demo is there two seconds sooner.
                "CORTEX_MODEL_MEASURE": "false",
            },
        )
        for name in NAMES
    ]
