"""Services as processes that a test starts, kills and reads."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from cortex_runtime.adapters.embedded.child import DidNotStart
from cortex_testkit.processes import service_process

pytestmark = pytest.mark.integration

SERVICE = """
import os, sys, signal
from cortex_eventing.failpoints import arm_from_environment, declare, failpoint_sync

AT_WORK = declare("tests.at_work", "it is up, and has done nothing")
arm_from_environment()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
print("up with", os.environ.get("COLOUR"), sys.argv[1:], flush=True)
failpoint_sync(AT_WORK)
signal.sigwait([signal.SIGTERM])
print("down", flush=True)
"""

FAILPOINT = {"CORTEX_FAILPOINTS": "tests.at_work=kill", "CORTEX_FAILPOINTS_ENABLED": "true"}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Makes `python -m a_service` work."""
    (tmp_path / "a_service.py").write_text(SERVICE)
    return {"PYTHONPATH": str(tmp_path), "COLOUR": "blue"}


async def test_starts_ends_and_keeps_the_output(environment: dict[str, str], tmp_path: Path) -> None:
    """A polite end lets it finish."""
    async with service_process("a_service", environment, tmp_path / "log", ["--loud"]) as service:
        await service.until_it_says("up with blue ['--loud']")
        assert service.exit_code is None
        await service.stop()
        assert service.output().splitlines()[-1] == "down"


async def test_can_be_killed_and_started_again(environment: dict[str, str], tmp_path: Path) -> None:
    """The second run may see another environment, and the output of both is kept."""
    async with service_process("a_service", environment, tmp_path / "log") as service:
        await service.until_it_says("blue")
        assert await service.kill() == -signal.SIGKILL
        await service.restart({"COLOUR": "red"})
        await service.until_it_says("red")
        assert "blue" in service.output()


async def test_a_failpoint_kills_it(environment: dict[str, str], tmp_path: Path) -> None:
    """Armed by the environment it dies at the named place, as by kill -9."""
    async with service_process("a_service", environment | FAILPOINT, tmp_path / "log") as service:
        assert await service.wait() == -signal.SIGKILL


async def test_a_failpoint_needs_to_be_enabled(environment: dict[str, str], tmp_path: Path) -> None:
    """A process that must not be tested like that does not even start."""
    armed = {"CORTEX_FAILPOINTS": FAILPOINT["CORTEX_FAILPOINTS"]}
    async with service_process("a_service", environment | armed, tmp_path / "log") as service:
        assert await service.wait() == 1
        assert "only a test may set it" in service.output()


async def test_one_that_does_not_start_says_why(environment: dict[str, str], tmp_path: Path) -> None:
    """Waiting for it ends with its last words."""
    async with service_process("no_service", environment, tmp_path / "log") as service:
        with pytest.raises(DidNotStart, match="No module named no_service"):
            await service.until_it_says("up")


async def test_sees_nothing_of_our_environment(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting of whoever runs the tests must not change what they show."""
    monkeypatch.setenv("COLOUR", "green")
    del environment["COLOUR"]
    async with service_process("a_service", environment, tmp_path / "log") as service:
        await service.until_it_says("up with None")
        assert "green" not in service.output()


async def test_none_is_left_when_the_test_fails(environment: dict[str, str], tmp_path: Path) -> None:
    """The end of the context is the end of the process, whatever happened inside."""
    pids = []

    async def fail_at_once() -> None:
        async with service_process("a_service", environment, tmp_path / "log") as service:
            pids.append(service.pid)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_at_once()
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


async def test_waiting_for_an_end_that_does_not_come_is_an_error(environment: dict[str, str], tmp_path: Path) -> None:
    """A failpoint that is never reached fails its test."""
    async with service_process("a_service", environment, tmp_path / "log") as service:
        with pytest.raises(subprocess.TimeoutExpired):
            await service.wait(0)
