"""Named places where a test can make the process crash, fail or wait, to see what is lost: nothing.

Code declares a failpoint once, beside its use, and passes it:

    AFTER_PUBLISH = declare("relay.after_publish", "a page is on the stream and nobody has taken note")
    ...
    await failpoint(AFTER_PUBLISH)

A disarmed failpoint costs the look at an empty dictionary. A process is armed by `CORTEX_FAILPOINTS`, a comma-separated
list of `name=kill`, `name=raise` or `name=pause:SECONDS`, each with `@N` behind it to mean only the Nth pass. It is an
error, not a silence, when that is set and `CORTEX_FAILPOINTS_ENABLED` is not `true`: no production process has both.
"""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

VARIABLE = "CORTEX_FAILPOINTS"
ENABLED = "CORTEX_FAILPOINTS_ENABLED"


class FailpointError(ValueError):
    """A failpoint is unknown, or declared twice, or its action is none, or failpoints are not enabled here."""


class FailpointReached(Exception):
    """What an armed failpoint raises. No code of ours expects it, as no code expects a bug."""


@dataclass(frozen=True)
class Action:
    """What an armed failpoint does: in a thread, and where the event loop passes."""

    in_thread: Callable[[], None]
    on_loop: Callable[[], Awaitable[None]]


def at_once(act: Callable[[], None]) -> Action:
    """An action that is the same everywhere."""

    async def on_loop() -> None:
        act()

    return Action(act, on_loop)


def pause(seconds: float) -> Action:
    """The code that passes stands still; on the loop the rest goes on."""
    return Action(lambda: time.sleep(seconds), lambda: asyncio.sleep(seconds))


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _raise() -> None:
    raise FailpointReached


# The process ends as by kill -9: no handler runs, nothing is flushed.
KILL = at_once(_kill)
# An exception that nobody expects.
RAISE = at_once(_raise)


@dataclass
class _Armed:
    action: Action
    only_pass: int | None
    passes: int = 0

    def is_due(self) -> bool:
        self.passes += 1
        return self.only_pass in {None, self.passes}


_declared: dict[str, str] = {}
_armed: dict[str, _Armed] = {}


def declare(name: str, meaning: str) -> str:
    """Make a failpoint known; returns its name.

    Args:
        name: `part.place`, unique in the whole workspace.
        meaning: what has happened and what has not when it is passed.

    Raises:
        FailpointError: another place has the name.
    """
    if _declared.setdefault(name, meaning) != meaning:
        raise FailpointError(f"failpoint {name} is declared twice")
    return name


def declared() -> Mapping[str, str]:
    """Every failpoint of the modules imported so far, with its meaning."""
    return MappingProxyType(_declared)


async def failpoint(name: str) -> None:
    """Pass a failpoint on the event loop."""
    if _armed and (action := _due(name)):
        await action.on_loop()


def failpoint_sync(name: str) -> None:
    """Pass a failpoint in a thread."""
    if _armed and (action := _due(name)):
        action.in_thread()


@contextmanager
def armed(name: str, action: Action, only_pass: int | None = None) -> Iterator[None]:
    """Arm a failpoint of this process for as long as the context lasts; for tests.

    Raises:
        FailpointError: nobody declared it.
    """
    _arm(name, _Armed(action, only_pass))
    try:
        yield
    finally:
        del _armed[name]


def arm_from_environment(environment: Mapping[str, str] = os.environ) -> None:
    """Arm what `CORTEX_FAILPOINTS` names; call it once the service's modules are imported. Without it nothing happens.

    Raises:
        FailpointError: failpoints are not enabled here, or one is unknown or its action is none.
    """
    wanted = environment.get(VARIABLE)
    if not wanted:
        return
    if environment.get(ENABLED) != "true":
        raise FailpointError(f"{VARIABLE} is set, and only a test may set it: unset it, or set {ENABLED}=true")
    for name, point in [_parsed(entry.strip()) for entry in wanted.split(",")]:
        _arm(name, point)


def _arm(name: str, point: _Armed) -> None:
    if name not in _declared:
        raise FailpointError(f"no failpoint {name!r}; there are: {', '.join(sorted(_declared)) or 'none'}")
    _armed[name] = point


def _due(name: str) -> Action | None:
    if name not in _declared:
        raise FailpointError(f"failpoint {name!r} is passed and was never declared")
    point = _armed.get(name)
    return point.action if point is not None and point.is_due() else None


def _parsed(entry: str) -> tuple[str, _Armed]:
    name, _, rest = entry.partition("=")
    action, _, only_pass = rest.partition("@")
    try:
        return name, _Armed(_action(action), int(only_pass) if only_pass else None)
    except ValueError as error:
        raise FailpointError(f"{VARIABLE}: {entry!r} is not name=kill, name=raise or name=pause:SECONDS[@N]") from error


def _action(text: str) -> Action:
    kind, _, seconds = text.partition(":")
    match kind:
        case "kill":
            return KILL
        case "raise":
            return RAISE
        case "pause":
            return pause(float(seconds))
    raise ValueError(text)
