"""A service's process: settings, signals, exit status.

Status 0: it was asked to stop and did. Status 1: something unexpected failed. Status 2: it cannot start as it was set
up, and standard error says in one line each what is wrong.
"""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from cortex_eventing.failpoints import FailpointError, arm_from_environment

from cortex_runtime import logs
from cortex_runtime.failures import CannotStart, leaves
from cortex_runtime.logs import log
from cortex_runtime.settings import ServiceSettings, SettingsError, load
from cortex_runtime.telemetry import traces

YOUNG_OBJECTS = 20_000
"""New containers before the collector looks for cycles among them; Python's default of 700 is for small programs."""

STOPPED, FAILED, CANNOT_START = 0, 1, 2

Settings = TypeVar("Settings", bound=ServiceSettings)
Service = Callable[[Settings], AbstractAsyncContextManager[object]]


def run(name: str, settings_type: type[Settings], service: Service[Settings]) -> int:
    """Run a service until SIGTERM or SIGINT, or until it fails; the process's exit status.

    Args:
        name: the service as logs and traces name it.
        settings_type: what it reads from the environment.
        service: its composition root. Entering starts everything and leaving stops it; a role that fails inside
            raises out of it.
    """
    try:
        settings = load(settings_type)
        logs.configure(name, settings.log.level)
        arm_from_environment()
        with traces(settings.traces.exporter, name):
            return asyncio.run(_Process(service, settings).serve())
    except SettingsError as error:
        return _refuse(*(f"{problem.variable} {problem.rule}" for problem in error.problems))
    except (CannotStart, FailpointError) as error:
        return _refuse(str(error))


def _refuse(*lines: str) -> int:
    for line in lines:
        sys.stderr.write(f"{line}\n")
    return CANNOT_START


class _Process:
    def __init__(self, service: Service[Settings], settings: Settings) -> None:
        self._service = service(settings)
        self._stop = asyncio.Event()
        self._running = False
        self._task: asyncio.Task[object] | None = None

    async def serve(self) -> int:
        self._task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_log_stray)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)
        try:
            async with self._service:
                self._running = True
                _spare_the_collector()
                log().info("running")
                await self._stop.wait()
        except asyncio.CancelledError:
            return self._cut_short()
        except Exception as error:  # noqa: BLE001 - the last one to see it: it becomes a line and a status
            return _failed(error)
        log().info("stopped")
        return STOPPED

    def _on_signal(self, number: int) -> None:
        """Stop in order; during the start, and when asked twice, at once."""
        log().info("asked_to_stop", signal=number)
        if self._task is not None and (self._stop.is_set() or not self._running):
            self._task.cancel()
        self._stop.set()

    def _cut_short(self) -> int:
        log().warning("stopped_short")
        return FAILED if self._running else STOPPED


def _spare_the_collector() -> None:
    """Have what the start made looked at no more, and the rest less often: some 5 % of a busy service's CPU.

    Requests leave few cycles behind; the first generation holds a megabyte or two when it is collected.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)


def _failed(error: Exception) -> int:
    for leaf in leaves(error):
        if isinstance(leaf, CannotStart):
            raise leaf
    log().error("failed", exc_info=error)
    return FAILED


def _log_stray(_loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """An exception that nobody awaited: told by its type, since its text may hold anything."""
    log().error("stray_exception", exc_info=context.get("exception"))
