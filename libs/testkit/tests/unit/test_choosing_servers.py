"""Which servers a test run uses."""

import pytest
from cortex_testkit.containers import (
    NATS_IMAGE,
    NATS_PORT,
    POSTGRES_COMMAND,
    POSTGRES_IMAGE,
    POSTGRES_PORT,
    configured_nats,
    configured_postgres,
)
from cortex_testkit.servers import chosen_servers, nats_server, postgres_server

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("environment", "choice"),
    [({}, "embedded"), ({"CORTEX_TEST_SERVERS": ""}, "embedded"), ({"CORTEX_TEST_SERVERS": "external"}, "external")],
)
def test_the_environment_chooses(environment: dict[str, str], choice: str) -> None:
    """Nothing set means our own servers."""
    assert chosen_servers(environment) == choice


def test_an_unknown_choice_names_the_known_ones() -> None:
    """A misspelt choice must not quietly become another one."""
    with pytest.raises(pytest.UsageError, match="must be one of embedded, external, containers, not 'docker'"):
        chosen_servers({"CORTEX_TEST_SERVERS": "docker"})


async def test_external_servers_are_taken_as_they_are() -> None:
    """The addresses come from the environment."""
    environment = {
        "CORTEX_TEST_SERVERS": "external",
        "CORTEX_TEST_POSTGRES_DSN": "host=db",
        "CORTEX_TEST_NATS_URL": "nats://broker",
    }
    async with postgres_server(environment) as dsn, nats_server(environment) as url:
        assert (dsn, url) == ("host=db", "nats://broker")


@pytest.mark.parametrize(
    ("server", "missing"), [(postgres_server, "CORTEX_TEST_POSTGRES_DSN"), (nats_server, "CORTEX_TEST_NATS_URL")]
)
async def test_external_servers_need_an_address(server: object, missing: str) -> None:
    """Whoever asks for external servers and names none hears which setting is missing."""
    with pytest.raises(pytest.UsageError, match=missing):
        async with server({"CORTEX_TEST_SERVERS": "external"}):  # type: ignore[operator]
            pass


@pytest.fixture
def docker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine where Docker seems to answer; nothing is started."""
    monkeypatch.setattr("testcontainers.core.container.DockerClient", lambda **_: None)


@pytest.mark.usefixtures("docker")
def test_a_postgres_container_gets_the_embedded_servers_settings() -> None:
    """An erased byte goes in a container, too."""
    container = configured_postgres()
    assert container.image == POSTGRES_IMAGE
    assert container._command == POSTGRES_COMMAND
    assert {"wal_recycle=off", "max_connections=200"} <= set(POSTGRES_COMMAND.split())
    assert list(container.ports) == [str(POSTGRES_PORT)]


@pytest.mark.usefixtures("docker")
def test_a_nats_container_has_jetstream() -> None:
    """Without it there would be no streams."""
    container = configured_nats()
    assert (container.image, container._command, list(container.ports)) == (NATS_IMAGE, "--jetstream", [str(NATS_PORT)])
