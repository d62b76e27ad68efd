from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from cortex_eventing.errors import Unavailable
from cortex_runtime.command_line import CommandLine, Task
from cortex_runtime.failures import CannotStart
from cortex_runtime.settings import ServiceSettings

pytestmark = pytest.mark.unit

ENVIRONMENT = {
    "CORTEX_POSTGRES_OWNER_DSN": "postgresql://owner:hush@127.0.0.1:5432/x",
    "CORTEX_POSTGRES_WRITER_DSN": "postgresql://writer:hush@127.0.0.1:5432/x",
    "CORTEX_POSTGRES_READER_DSN": "postgresql://reader:hush@127.0.0.1:5432/x",
    "CORTEX_NATS_URL": "nats://127.0.0.1:4222",
    "CORTEX_CLAIM_KEY": "k" * 32,
}


@asynccontextmanager
async def service(_settings: ServiceSettings) -> AsyncIterator[None]:
    raise CannotStart("the service was run")
    yield


async def count(settings: ServiceSettings, asked: Namespace) -> str:
    return f"counted at {settings.nats.url}{' twice' if asked.twice else ''}"


def ask_how_often(parser: ArgumentParser) -> None:
    parser.add_argument("--twice", action="store_true")


async def refuse(_settings: ServiceSettings, _asked: Namespace) -> str:
    raise CannotStart("mend this first")


async def miss(_settings: ServiceSettings, _asked: Namespace) -> str:
    raise Unavailable("PostgreSQL")


SAMPLE = CommandLine(
    name="sample",
    about="Nothing.",
    settings=ServiceSettings,
    service=service,
    tasks={
        "count": Task("count things", count, ask_how_often),
        "refuse": Task("refuse", refuse),
        "miss": Task("miss", miss),
    },
)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """All settings that have no default."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("environment")
class WhenWellSetUp:
    @pytest.mark.parametrize("arguments", [[], ["serve"]])
    def test_without_a_command_the_service_runs(self, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        """Running is what a service is for."""
        assert SAMPLE.main(arguments) == 2
        assert capsys.readouterr().err == "the service was run\n"

    def test_a_task_answers_with_one_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        """It has the same settings as the service."""
        assert SAMPLE.main(["count"]) == 0
        assert capsys.readouterr().out == "counted at nats://127.0.0.1:4222\n"

    def test_a_task_gets_its_arguments(self, capsys: pytest.CaptureFixture[str]) -> None:
        """As it declared them."""
        assert SAMPLE.main(["count", "--twice"]) == 0
        assert capsys.readouterr().out == "counted at nats://127.0.0.1:4222 twice\n"

    @pytest.mark.parametrize(
        ("task", "status", "said"), [("refuse", 2, "mend this first"), ("miss", 1, "PostgreSQL is away")]
    )
    def test_a_task_that_fails_says_why(
        self, task: str, status: int, said: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """One line on standard error, and a status that scripts can tell apart."""
        assert SAMPLE.main([task]) == status
        assert capsys.readouterr().err == f"{said}\n"


def test_an_unknown_command_is_refused_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, and the commands that there are."""
    with pytest.raises(SystemExit) as ended:
        SAMPLE.main(["dance"])
    assert ended.value.code == 2
    assert "'count'" in capsys.readouterr().err


def test_settings_are_listed_where_none_are_set(capsys: pytest.CaptureFixture[str]) -> None:
    """Who sets a service up needs the list before anything works."""
    assert SAMPLE.main(["settings"]) == 0
    listed = capsys.readouterr().out
    assert "CORTEX_CLAIM_KEY (text, secret; must be set)\n" in listed
    assert "CORTEX_GRPC_HOST (text; default: 127.0.0.1)\n" in listed


def test_missing_settings_are_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A task starts no better than the service does."""
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    assert SAMPLE.main(["count"]) == 2
    assert "CORTEX_CLAIM_KEY is missing" in capsys.readouterr().err
