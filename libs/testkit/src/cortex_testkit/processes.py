"""A service as a process of its own, to be killed at any time."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from cortex_runtime.adapters.embedded.child import READY_WITHIN, Child, Program, inherited


class ServiceProcess:
    """`python -m MODULE` with an environment of its own; its output is kept over restarts."""

    def __init__(self, module: str, environment: Mapping[str, str], log: Path, arguments: Sequence[str] = ()) -> None:
        self._module = module
        self._environment = {**inherited(), "PYTHONUNBUFFERED": "1", **environment}
        self._arguments = arguments
        self._log = log
        self._child: Child | None = None

    async def start(self, environment: Mapping[str, str] | None = None) -> None:
        """Start it; `environment` replaces or adds to what it was given first, for this run only."""
        command = [sys.executable, "-m", self._module, *self._arguments]
        variables = {**self._environment, **(environment or {})}
        self._child = await Child.start(Program(command, self._log, environment=variables))

    async def restart(self, environment: Mapping[str, str] | None = None) -> None:
        """Start it again; one that still runs is stopped first."""
        await self.stop()
        await self.start(environment)

    async def until_ready(self, ready: Callable[[], Awaitable[bool]], seconds: float = READY_WITHIN) -> None:
        """Ask `ready` until it says yes.

        Raises:
            DidNotStart: it ended, or `seconds` have passed; the message ends with its last lines.
        """
        await self._running().until_ready(ready, seconds)

    async def until_it_says(self, text: str, seconds: float = READY_WITHIN) -> None:
        """Wait until its output holds `text`. Raises like `until_ready`."""

        async def said() -> bool:
            return text in self.output()

        await self.until_ready(said, seconds)

    async def kill(self) -> int:
        """End it with SIGKILL; the exit code."""
        return await self._running().kill()

    async def stop(self) -> int | None:
        """End it in good order, by force when that takes too long; the exit code."""
        return None if self._child is None else await self._child.stop()

    async def wait(self, seconds: float = READY_WITHIN) -> int:
        """The exit code, once it has ended by itself: -9 after a failpoint's kill.

        Raises:
            subprocess.TimeoutExpired: it still runs.
        """
        return await self._running().wait(seconds)

    def output(self) -> str:
        """What all runs have written."""
        return self._log.read_text(errors="replace")

    @property
    def pid(self) -> int:
        """The process of the latest run."""
        return self._running().pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._running().exit_code

    def _running(self) -> Child:
        if self._child is None:
            raise RuntimeError(f"{self._module} was not started")
        return self._child


@asynccontextmanager
async def service_process(
    module: str, environment: Mapping[str, str], log: Path, arguments: Sequence[str] = ()
) -> AsyncIterator[ServiceProcess]:
    """Start `python -m MODULE`, and see to its end.

    Args:
        module: for instance `cortex_session`.
        environment: all that it sees, beside the paths that Python needs.
        log: the file that collects its output.
        arguments: of the command line.
    """
    process = ServiceProcess(module, environment, log, arguments)
    await process.start()
    try:
        yield process
    finally:
        await process.stop()
