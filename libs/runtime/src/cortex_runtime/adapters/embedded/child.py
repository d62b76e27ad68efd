"""A child process that cannot outlive us, and is only ever ended by its pid."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from cortex_runtime.adapters.embedded import launch

# A server that is not ready after this many seconds never will be, even on a machine with much else to do.
READY_WITHIN = 30.0
# Between two questions whether a server is ready; small beside the fraction of a second that a start takes.
ASK_EVERY = 0.01
# A process that was asked to end gets this many seconds before it is killed.
END_WITHIN = 10.0
# Environment that any program may need to find its libraries. Nothing else is handed to a server.
INHERITED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")

# The death signal fires when the *thread* that forked ends, so one thread forks all children and lives as long as we.
_keeper = ThreadPoolExecutor(max_workers=1, thread_name_prefix="child-keeper")


class DidNotStart(RuntimeError):
    """A server ended, or was not ready in time; the message ends with the last lines that it wrote."""


@dataclass(frozen=True)
class User:
    """Whom a process runs as."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Program:
    """What to start: the command line, where its output goes (appended), as whom, and which signal ends it with us."""

    arguments: Sequence[str]
    log: Path
    user: User | None = None
    environment: Mapping[str, str] | None = None
    death_signal: signal.Signals = signal.SIGKILL


class Child:
    """A running process."""

    def __init__(self, program: Program, process: subprocess.Popen[bytes]) -> None:
        self._program = program
        self._process = process

    @classmethod
    async def start(cls, program: Program) -> "Child":
        """Start it in a session of its own (so that Ctrl-C reaches only us), working directory `/`, no input."""
        starting = _keeper.submit(cls._start, program)
        try:
            return await asyncio.shield(asyncio.wrap_future(starting))
        except asyncio.CancelledError:
            starting.add_done_callback(lambda started: started.result().send(signal.SIGKILL))
            raise

    @classmethod
    def _start(cls, program: Program) -> "Child":
        identity = f"{program.user.uid}:{program.user.gid}" if program.user else "-"
        launcher = [
            sys.executable,
            "-I",
            "-S",
            launch.__file__,
            str(os.getpid()),
            str(int(program.death_signal)),
            identity,
        ]
        with program.log.open("ab") as log:
            process = subprocess.Popen(
                [*launcher, *program.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=inherited() if program.environment is None else dict(program.environment),
                start_new_session=True,
            )
        return cls(program, process)

    @property
    def pid(self) -> int:
        """The process id, also after the end."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; the negative signal number where a signal ended it."""
        return self._process.poll()

    async def wait(self, seconds: float | None = None) -> int:
        """The exit code, once it has ended.

        Raises:
            subprocess.TimeoutExpired: it still runs after `seconds`.
        """
        return await asyncio.to_thread(self._process.wait, seconds)

    async def until_ready(self, ready: Callable[[], Awaitable[bool]], seconds: float = READY_WITHIN) -> None:
        """Ask `ready` until it says yes.

        Raises:
            DidNotStart: it ended, or `seconds` have passed.
        """
        deadline = time.monotonic() + seconds
        while not await ready():
            if self.exit_code is not None:
                raise DidNotStart(f"{self.name} ended with code {self.exit_code}: {self.last_words()}")
            if time.monotonic() > deadline:
                raise DidNotStart(f"{self.name} was not ready after {seconds:g} s: {self.last_words()}")
            await asyncio.sleep(ASK_EVERY)

    async def stop(self, politely: signal.Signals = signal.SIGTERM, seconds: float = END_WITHIN) -> int:
        """End it with `politely`, or by force after `seconds`; the exit code. Harmless when it has ended."""
        self.send(politely)
        try:
            return await self.wait(seconds)
        except subprocess.TimeoutExpired:
            return await self.kill()

    async def kill(self) -> int:
        """End it as a crash would (SIGKILL), and wait until it is gone."""
        self.send(signal.SIGKILL)
        return await self.wait()

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended: its pid may be somebody else's by now."""
        self._process.send_signal(number)

    @property
    def name(self) -> str:
        """The program's file name."""
        return Path(self._program.arguments[0]).name

    def last_words(self, lines: int = 10) -> str:
        """The last lines of its output."""
        return "\n".join(self._program.log.read_text(errors="replace").splitlines()[-lines:])


async def run_to_end(program: Program, seconds: float = READY_WITHIN) -> None:
    """Start a program and wait until it has done its work.

    Raises:
        DidNotStart: it failed, or was not done after `seconds`.
    """
    child = await Child.start(program)
    try:
        code = await child.wait(seconds)
    except subprocess.TimeoutExpired:
        code = await child.kill()
    if code:
        raise DidNotStart(f"{child.name} ended with code {code}: {child.last_words()}")


def inherited() -> dict[str, str]:
    """The paths of our own environment that a program may need to find its libraries."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ}
