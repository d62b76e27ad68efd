"""A process that is told to fail where nobody enabled that."""

from contextlib import AbstractAsyncContextManager

import pytest
from cortex_runtime.process import CANNOT_START, run
from cortex_runtime.settings import ServiceSettings
from pydantic_settings import BaseSettings

pytestmark = pytest.mark.unit

ENVIRONMENT = {
    "CORTEX_POSTGRES_OWNER_DSN": "postgresql://owner@127.0.0.1/none",
    "CORTEX_POSTGRES_WRITER_DSN": "postgresql://writer@127.0.0.1/none",
    "CORTEX_POSTGRES_READER_DSN": "postgresql://reader@127.0.0.1/none",
    "CORTEX_NATS_URL": "nats://127.0.0.1:1",
    "CORTEX_CLAIM_KEY": "k" * 32,
    "CORTEX_FAILPOINTS": "relay.after_publish=kill",
}


def never(_settings: BaseSettings) -> AbstractAsyncContextManager[object]:
    pytest.fail("the service was started")


def test_does_not_start(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A line on standard error says which variable is in the way, and nothing was started."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    assert run("session", ServiceSettings, never) == CANNOT_START
    assert "CORTEX_FAILPOINTS is set, and only a test may set it" in capsys.readouterr().err
