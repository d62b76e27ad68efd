"""The work that goes on beside the servicers: relay, projections, reactions, whatever runs without being asked.

A missing server is a state: the role tries again for ever, with backoff, and says so. Anything else that a role raises,
and a role that ends, ends the process.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from cortex_eventing.backoff import waits
from cortex_eventing.cancelling import cancel_until_ended
from cortex_eventing.election import Election
from cortex_eventing.errors import CortexError, Unavailable
from cortex_eventing.role_state import Report, Reports

log = logging.getLogger(__name__)


class RoleEnded(CortexError):
    """A role that should go on for ever has returned."""


class Alarm(CortexError):
    """Something is so wrong that going on would do harm. The role looks again from time to time, in case it was mended.

    The message tells a person what to do.
    """


@dataclass(frozen=True)
class Role:
    """Work that never ends.

    Attributes:
        name: as metrics and health show it.
        run: does the work; raises `Unavailable` or `Alarm` when it cannot go on, and is called again later.
    """

    name: str
    run: Callable[[Report], Awaitable[None]]


@asynccontextmanager
async def running(roles: Sequence[Role], reports: Reports, election: Election | None = None) -> AsyncIterator[None]:
    """Run roles beside the body: in this replica alone if there is an election, else in every one.

    Raises:
        Exception: what a role raised that nobody expected, or RoleEnded; the body was cancelled.
        ExceptionGroup: that, and an error of the body at once.
    """
    if not roles:
        yield
        return
    work = _led(roles, reports, election) if election else _together(roles, reports)
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(work, name="roles")
            try:
                yield
            finally:
                await cancel_until_ended(task)
    except BaseExceptionGroup as failed:
        if len(failed.exceptions) == 1:
            raise failed.exceptions[0] from None
        raise


async def _led(roles: Sequence[Role], reports: Reports, election: Election) -> None:
    """Stand for election again and again."""

    async def elected() -> None:
        pauses.reset()
        await _together(roles, reports)

    pauses = _Pauses()
    while True:
        for role in roles:
            reports.of(role.name).standby()
        try:
            await election.lead(elected)
        except Unavailable as away:
            for role in roles:
                reports.of(role.name).waiting(str(away))
            await pauses.wait()


async def _together(roles: Sequence[Role], reports: Reports) -> None:
    """Run roles until one fails; the others are ended then, and its error is raised.

    Not a TaskGroup, which cancels its tasks only once.
    """
    tasks: list[asyncio.Task[Any]] = [
        asyncio.create_task(_for_ever(role, reports.of(role.name)), name=role.name) for role in roles
    ]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
    finally:
        await cancel_until_ended(*tasks)


async def _for_ever(role: Role, report: Report) -> None:
    """Run a role; when something is away, say so and run it again."""
    pauses = _Pauses()
    while True:
        report.working()
        begun = asyncio.get_running_loop().time()
        try:
            await role.run(report)
            raise RoleEnded(role.name)
        except Unavailable as away:
            report.waiting(str(away))
        except Alarm as alarm:
            log.error("%s: %s", role.name, alarm)  # noqa: TRY400 - an alarm is no defect, so no traceback
            report.alarmed(str(alarm))
        if asyncio.get_running_loop().time() - begun > LONG_ENOUGH:
            pauses.reset()
        await pauses.wait()


LONG_ENOUGH = 10.0
"""Seconds that a role has run after which its next failure counts as a first one."""


class _Pauses:
    """Waits that grow until they are reset."""

    def __init__(self) -> None:
        self._waits = waits()

    def reset(self) -> None:
        self._waits = waits()

    async def wait(self) -> None:
        await asyncio.sleep(next(self._waits))
