"""Both servers together, and what the services' processes are told about them."""

from pathlib import Path

import nats
import pytest
from cortex_runtime.adapters.embedded.servers import embedded_servers
from cortex_runtime.settings import ServiceSettings, load
from psycopg import AsyncConnection

pytestmark = pytest.mark.integration


async def test_each_service_finds_its_own_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment is what the settings read, and leads to the service's own database under the right role."""
    async with embedded_servers(["identity", "session"]) as servers:
        for name, value in servers.environments["session"].items():
            monkeypatch.setenv(name, value)
        settings = load(ServiceSettings)
        async with await AsyncConnection.connect(settings.postgres.reader_dsn.get_secret_value()) as connection:
            answer = await connection.execute("SELECT current_database()::text, current_user::text")
            assert await answer.fetchone() == ("session", "session_reader")
        client = await nats.connect(settings.nats.url)
        await client.close()


async def test_a_kept_folder_keeps_the_claim_key(folder_for_servers: Path) -> None:
    """Stored claims are hashed under it: a new key would forget who holds what."""
    keys = []
    for _ in range(2):
        async with embedded_servers(["identity"], folder_for_servers) as servers:
            keys.append(servers.environments["identity"]["CORTEX_CLAIM_KEY"])
    assert keys[0] == keys[1]


async def test_hides_its_secrets() -> None:
    """What is printed of it holds no password and no key."""
    async with embedded_servers(["identity"]) as servers:
        printed = repr(servers)
        for secret in servers.environments["identity"].values():
            assert secret not in printed
