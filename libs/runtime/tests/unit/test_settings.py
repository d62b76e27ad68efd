"""Settings are typed, and whatever is wrong is said at once, by variable and rule."""

import os
from pathlib import Path

import pytest
from cortex_runtime.settings import Group, ServiceSettings, SettingsError, load

pytestmark = pytest.mark.unit

GOOD = {
    "CORTEX_POSTGRES_OWNER_DSN": "user=owner password=hush host=127.0.0.1 dbname=session",
    "CORTEX_POSTGRES_WRITER_DSN": "postgresql://writer:hush@127.0.0.1:5432/session",
    "CORTEX_POSTGRES_READER_DSN": "postgresql://reader:hush@127.0.0.1:5432/session",
    "CORTEX_NATS_URL": "nats://127.0.0.1:4222",
    "CORTEX_CLAIM_KEY": "k" * 32,
}


class ModelSettings(Group):
    """A group that one service adds."""

    dir: Path
    workers: int = 1


class TranscriberSettings(ServiceSettings):
    """A service's own settings."""

    model: ModelSettings


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("CORTEX_"):
            monkeypatch.delenv(name)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def problems(settings: type[ServiceSettings] = ServiceSettings) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        load(settings)
    return {problem.variable: problem.rule for problem in caught.value.problems}


def test_a_variable_is_named_after_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups and fields make the name; what is not set has its default."""
    monkeypatch.setenv("CORTEX_GRPC_PORT", "7001")
    monkeypatch.setenv("CORTEX_NATS_MANAGE_STREAMS", "false")
    monkeypatch.setenv("CORTEX_MODEL_DIR", "models")
    settings = load(TranscriberSettings)
    assert (settings.grpc.port, settings.grpc.host, settings.nats.manage_streams) == (7001, "127.0.0.1", False)
    assert (settings.model.dir, settings.model.workers) == (Path("models"), 1)
    assert settings.postgres.access.owner_dsn == GOOD["CORTEX_POSTGRES_OWNER_DSN"]
    assert settings.postgres.access.reader_dsn == GOOD["CORTEX_POSTGRES_READER_DSN"]


def test_everything_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty environment yields the whole list, down to the fields of groups."""
    for name in GOOD:
        monkeypatch.delenv(name)
    assert problems(TranscriberSettings) == dict.fromkeys([*GOOD, "CORTEX_MODEL_DIR"], "is missing")


@pytest.mark.parametrize(
    ("variable", "value", "rule"),
    [
        ("CORTEX_GRPC_PORT", "hush", "should be a valid integer"),
        ("CORTEX_GRPC_PORT", "65536", "should be less than or equal to 65535"),
        ("CORTEX_GRPC_GRACE", "-1", "should be greater than or equal to 0"),
        ("CORTEX_LOG_LEVEL", "hush", "should be 'debug', 'info', 'warning' or 'error'"),
        ("CORTEX_POSTGRES_WRITER_DSN", "hush", "must be of the form postgresql://"),
        ("CORTEX_POSTGRES_OWNER_DSN", "mysql://hush", "must be of the form postgresql://"),
        ("CORTEX_CLAIM_KEY", "hush", "must have at least 32 characters"),
        ("CORTEX_NATS_URL", "hush", "must be of the form nats://host:port"),
        ("CORTEX_NATS_URL", "nats://[hush", "must be of the form nats://host:port"),
        ("CORTEX_NATS_URL", "nats://127.0.0.1:hush", "must be of the form nats://host:port"),
        ("CORTEX_GRPC", "{hush", "error parsing value"),
    ],
)
def test_a_wrong_value_is_named_by_its_rule(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, rule: str
) -> None:
    """The rule is told, the value never: it may be a secret that landed in the wrong variable."""
    monkeypatch.setenv(variable, value)
    found = problems()
    assert [told for told in found.values() if told.startswith(rule)]
    assert "hush" not in str(found)


@pytest.mark.parametrize("address", ["0.0.0.0", "10.1.2.3", "::", "example.org", "localhost.example.org"])
@pytest.mark.parametrize("variable", ["CORTEX_GRPC_HOST", "CORTEX_ADMIN_HOST", "CORTEX_NATS_URL"])
def test_other_addresses_than_loopback_are_refused(
    monkeypatch: pytest.MonkeyPatch, variable: str, address: str
) -> None:
    """As long as there are no keys nobody outside this machine may reach us, or we them."""
    if variable == "CORTEX_NATS_URL":
        address = f"nats://[{address}]:4222" if ":" in address else f"nats://{address}:4222"
    monkeypatch.setenv(variable, address)
    assert list(problems()) == [variable]


@pytest.mark.parametrize(
    ("host", "address"), [("127.0.0.2", "127.0.0.2:0"), ("::1", "[::1]:0"), ("localhost", "localhost:0")]
)
def test_loopback_has_several_names(monkeypatch: pytest.MonkeyPatch, host: str, address: str) -> None:
    """Any address of this machine will do, and is written as gRPC wants it."""
    monkeypatch.setenv("CORTEX_GRPC_HOST", host)
    assert load(ServiceSettings).grpc.address == address


def test_secrets_do_not_show() -> None:
    """Printing the settings tells neither passwords nor keys."""
    shown = repr(load(ServiceSettings))
    assert "hush" not in shown
    assert "kkkk" not in shown
