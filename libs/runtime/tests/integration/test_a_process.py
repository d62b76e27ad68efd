"""A service's process: what it says when it cannot start, and how it ends."""

import json
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ENVIRONMENT = {
    "CORTEX_POSTGRES_OWNER_DSN": "postgresql://owner:hush@127.0.0.1:5432/x",
    "CORTEX_POSTGRES_WRITER_DSN": "postgresql://writer:hush@127.0.0.1:5432/x",
    "CORTEX_POSTGRES_READER_DSN": "postgresql://reader:hush@127.0.0.1:5432/x",
    "CORTEX_NATS_URL": "nats://127.0.0.1:4222",
    "CORTEX_CLAIM_KEY": "k" * 32,
}
SERVICE = """
    import asyncio, sys
    from contextlib import asynccontextmanager
    from cortex_runtime.failures import CannotStart
    from cortex_runtime.process import run
    from cortex_runtime.settings import ServiceSettings

    async def role():
        {role}

    @asynccontextmanager
    async def service(settings):
        {start}
        async with asyncio.TaskGroup() as roles:
            running = roles.create_task(role())
            try:
                yield
            finally:
                print("stopping in order", flush=True)
                running.cancel()

    sys.exit(run("sample", ServiceSettings, service))
"""


def process(
    tmp_path: Path, *, role: str = "await asyncio.Event().wait()", start: str = "pass", **environment: str
) -> subprocess.Popen[str]:
    program = tmp_path / "service.py"
    program.write_text(textwrap.dedent(SERVICE).format(role=role, start=start))
    return subprocess.Popen(
        [sys.executable, str(program)],
        env={**ENVIRONMENT, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(running: subprocess.Popen[str], action: str) -> None:
    """Read the log up to the line with this action."""
    assert running.stderr is not None
    for line in running.stderr:
        if json.loads(line)["action"] == action:
            return
    pytest.fail(f"it ended without {action}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_in_order(tmp_path: Path, number: signal.Signals) -> None:
    """Asked to stop, it leaves its contexts and ends with status 0."""
    with process(tmp_path) as running:
        until(running, "running")
        running.send_signal(number)
        out, _ = running.communicate(timeout=30)
    assert (running.returncode, out) == (0, "stopping in order\n")


def test_a_signal_during_the_start_ends_it(tmp_path: Path) -> None:
    """A start that waits for a server that is away can be called off."""
    with process(tmp_path, start="print('up', flush=True); await asyncio.Event().wait()") as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "up\n"
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=30)
    assert running.returncode == 0


def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    """Whoever asks twice wants it gone."""
    role = "\n    ".join(
        [
            "try:",
            "    await asyncio.Event().wait()",
            "finally:",
            "    print('slow', flush=True)",
            "    await asyncio.Event().wait()",
        ]
    )
    with process(tmp_path, role=role) as running:
        until(running, "running")
        running.send_signal(signal.SIGTERM)
        assert running.stdout is not None
        assert running.stdout.readline() == "stopping in order\n"
        assert running.stdout.readline() == "slow\n"
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=30)
    assert running.returncode == 1


def test_a_role_that_fails_ends_it(tmp_path: Path) -> None:
    """An unexpected exception in a role is one line without its text, an orderly end, and status 1."""
    with process(tmp_path, role="raise ValueError('Ada')") as running:
        out, log = running.communicate(timeout=30)
    (line,) = [json.loads(line) for line in log.splitlines() if "failed" in line]
    assert (running.returncode, out) == (1, "stopping in order\n")
    assert (line["action"], line["error_type"]) == ("failed", "builtins.ValueError")
    assert "Ada" not in log


def test_wrong_settings_are_one_line_each(tmp_path: Path) -> None:
    """Status 2, and standard error is nothing but the list."""
    with process(tmp_path, CORTEX_GRPC_HOST="0.0.0.0", CORTEX_CLAIM_KEY="hush", CORTEX_NATS_URL="") as running:
        _, log = running.communicate(timeout=30)
    assert running.returncode == 2
    assert log.splitlines() == [
        "CORTEX_NATS_URL is missing",
        "CORTEX_CLAIM_KEY must have at least 32 characters",
        "CORTEX_GRPC_HOST must be a loopback address (127.0.0.1, ::1 or localhost) as long as there are no keys",
    ]


@pytest.mark.parametrize(
    ("start", "environment", "line"),
    [
        ("raise CannotStart('no model: run make setup')", {}, "no model: run make setup"),
        ("pass", {"CORTEX_TRACES_EXPORTER": "nowhere"}, "CORTEX_TRACES_EXPORTER: no exporter named nowhere"),
        ("pass", {"CORTEX_FAILPOINTS": "a=kill"}, "CORTEX_FAILPOINTS is set, and only a test may set it"),
    ],
)
def test_what_keeps_it_from_starting_is_one_line(
    tmp_path: Path, start: str, environment: dict[str, str], line: str
) -> None:
    """Status 2, and a line that says what to do."""
    with process(tmp_path, start=start, **environment) as running:
        _, log = running.communicate(timeout=30)
    assert running.returncode == 2
    assert len(log.splitlines()) == 1
    assert log.startswith(line)
