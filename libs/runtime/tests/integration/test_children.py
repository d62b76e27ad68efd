"""Child processes: they end with us, however we end, and not before."""

import asyncio
import os
import pwd
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cortex_runtime.adapters.embedded.child import Child, DidNotStart, Program, run_to_end
from cortex_runtime.adapters.embedded.installation import UNPRIVILEGED, others_may_enter

pytestmark = pytest.mark.integration

# A machine with much else to do may take its time to notice a death.
PATIENCE = 30.0

BOTH_SERVERS = """
import asyncio
from cortex_runtime.adapters.embedded import embedded_nats, embedded_postgres

async def main():
    async with embedded_postgres() as postgres, embedded_nats() as nats:
        print(postgres.pid, nats.pid, flush=True)
        await asyncio.to_thread(input)

asyncio.run(main())
"""

sleeping = ["/bin/sleep", "600"]


def ends(pidfd: int) -> bool:
    """Whether a process ends in time."""
    poller = select.poll()
    poller.register(pidfd, select.POLLIN)
    return bool(poller.poll(PATIENCE * 1000))


def test_servers_die_with_a_killed_parent() -> None:
    """After kill -9 of the process that started them, no server is left."""
    with subprocess.Popen(
        [sys.executable, "-c", BOTH_SERVERS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        servers = [os.pidfd_open(int(pid)) for pid in parent.stdout.readline().split()]
        parent.kill()
    assert len(servers) == 2
    assert [ends(server) for server in servers] == [True, True]


def test_a_server_outlives_the_thread_that_asked_for_it(tmp_path: Path) -> None:
    """The kernel ties the death signal to a thread: it must not be the short-lived one of a caller."""
    started: list[Child] = []
    program = Program(sleeping, tmp_path / "log")
    asking = threading.Thread(target=lambda: started.append(asyncio.run(Child.start(program))))
    asking.start()
    asking.join()
    (child,) = started
    with pytest.raises(subprocess.TimeoutExpired):
        asyncio.run(child.wait(0))
    assert asyncio.run(child.stop()) == -signal.SIGTERM


async def test_what_does_not_listen_is_killed(tmp_path: Path) -> None:
    """A process that ignores the polite signal ends all the same."""
    log = tmp_path / "log"
    child = await Child.start(Program(["/bin/sh", "-c", "trap '' TERM; echo deaf; exec sleep 600"], log))

    async def is_deaf() -> bool:
        return log.read_text() == "deaf\n"

    await child.until_ready(is_deaf)
    assert await child.stop(seconds=0) == -signal.SIGKILL


async def test_a_program_that_ends_at_once_says_why(tmp_path: Path) -> None:
    """Waiting for readiness stops with the program's last words."""
    child = await Child.start(Program(["/bin/sh", "-c", "echo no disk >&2; exit 3"], tmp_path / "log"))

    async def never() -> bool:
        return False

    with pytest.raises(DidNotStart, match="sh ended with code 3: no disk"):
        await child.until_ready(never)


async def test_a_step_that_fails_says_why(tmp_path: Path) -> None:
    """So does a program that has one thing to do and fails."""
    with pytest.raises(DidNotStart, match="sh ended with code 1: broken"):
        await run_to_end(Program(["/bin/sh", "-c", "echo broken; exit 1"], tmp_path / "log"))


async def test_hands_over_no_secret_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server sees the paths that it needs and nothing else of ours."""
    monkeypatch.setenv("CORTEX_CLAIM_KEY", "secret")
    log = tmp_path / "log"
    await run_to_end(Program(["/usr/bin/env"], log))
    # Python itself adds LC_CTYPE when it finds no locale.
    assert {line.partition("=")[0] for line in log.read_text().splitlines()} <= {"PATH", "LD_LIBRARY_PATH", "LC_CTYPE"}


@pytest.mark.skipif(os.geteuid() != 0, reason="this run is by an ordinary user already")
def test_an_ordinary_user_can_run_the_servers() -> None:
    """What root can start, the user without any right can start too."""
    interpreter = Path(sys.executable).resolve()
    if not (others_may_enter(interpreter.parent) and others_may_enter(Path(__file__).parent)):
        pytest.skip("other users can read neither this interpreter nor this checkout")
    user = pwd.getpwnam(UNPRIVILEGED)
    done = subprocess.run(
        [sys.executable, "-B", "-c", BOTH_SERVERS],
        cwd="/",
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        input="\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) == 2
