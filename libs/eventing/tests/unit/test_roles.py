import asyncio
from collections.abc import Awaitable, Callable

import pytest
from cortex_eventing.errors import Unavailable
from cortex_eventing.role_state import Condition, Report, Reports
from cortex_eventing.roles import Alarm, Role, RoleEnded, running
from cortex_testkit.waiting import eventually

pytestmark = pytest.mark.unit


class Flaky:
    """A role that raises one thing after another, and then works."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.seen: list[Condition] = []

    async def run(self, report: Report) -> None:
        """Raise, or go on for ever."""
        self.seen.append(report.state.condition)
        if self.errors:
            raise self.errors.pop(0)
        await asyncio.Event().wait()


class Seats:
    """An election whose outcome the test decides."""

    def __init__(self) -> None:
        self.elected = asyncio.Event()
        self.unseated = asyncio.Event()

    async def lead(self, elected: Callable[[], Awaitable[None]]) -> None:
        """Lead between the two."""
        await self.elected.wait()
        work = asyncio.ensure_future(elected())
        await self.unseated.wait()
        work.cancel()
        await asyncio.wait([work])
        self.elected.clear()


async def test_a_missing_server_is_waited_for() -> None:
    """The role says so and tries again, as often as it takes."""
    role, reports = Flaky(Unavailable("PostgreSQL"), Unavailable("NATS")), Reports()
    async with running([Role("relay", role.run)], reports):
        await eventually(lambda: len(role.seen) == 3)
        assert [state.condition for state in reports] == [Condition.WORKING]


async def test_an_alarm_is_shown_and_looked_at_again() -> None:
    """A person reads what to do; once it is done the role goes on."""
    role, reports = Flaky(Alarm("do this")), Reports()
    async with running([Role("relay", role.run)], reports):
        await eventually(lambda: reports.of("relay").state.why == "do this")
        await eventually(lambda: reports.of("relay").state.condition is Condition.WORKING)


async def test_anything_else_ends_the_process() -> None:
    """The body is cancelled, the other roles are ended, and the error comes out as it is."""
    other = asyncio.create_task(asyncio.sleep(0))
    with pytest.raises(ZeroDivisionError):
        async with running([Role("good", Flaky().run), Role("bad", Flaky(ZeroDivisionError()).run)], Reports()):
            await asyncio.Event().wait()
    await other


async def test_a_role_that_returns_ends_the_process() -> None:
    """Nothing may stop in silence."""

    async def brief(_: Report) -> None:
        """Do nothing."""

    with pytest.raises(RoleEnded):
        async with running([Role("brief", brief)], Reports()):
            await asyncio.Event().wait()


async def test_an_error_of_the_body_comes_out_as_it_is() -> None:
    """Whoever waits for it need not unpack groups."""
    with pytest.raises(KeyError):
        async with running([Role("good", Flaky().run)], Reports()):
            raise KeyError


async def test_only_the_elected_replica_runs_them() -> None:
    """Before and after its time in office a replica stands by."""
    role, reports, seats = Flaky(), Reports(), Seats()
    async with running([Role("relay", role.run)], reports, seats):
        await asyncio.sleep(0)
        assert reports.of("relay").state.condition is Condition.STANDBY
        assert not role.seen
        seats.elected.set()
        await eventually(lambda: reports.of("relay").state.condition is Condition.WORKING)
        seats.unseated.set()
        await eventually(lambda: reports.of("relay").state.condition is Condition.STANDBY)


async def test_no_roles_are_fine() -> None:
    """A process may have none."""
    async with running([], Reports()):
        pass
