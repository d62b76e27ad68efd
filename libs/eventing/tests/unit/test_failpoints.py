"""Named places where a test makes the process crash, fail or wait."""

import asyncio
import threading

import pytest
from cortex_eventing.failpoints import (
    RAISE,
    FailpointError,
    FailpointReached,
    arm_from_environment,
    armed,
    declare,
    declared,
    failpoint,
    failpoint_sync,
)
from cortex_testkit.failpoints import held_at

pytestmark = pytest.mark.unit

HERE = declare("tests.here", "nothing has happened yet")
ON = {"CORTEX_FAILPOINTS_ENABLED": "true"}


async def test_a_disarmed_one_does_nothing() -> None:
    """Production passes it."""
    await failpoint(HERE)
    failpoint_sync(HERE)
    assert "tests.here" in declared()


async def test_an_armed_one_acts_until_the_context_ends() -> None:
    """Both kinds raise, and afterwards neither does."""
    with armed(HERE, RAISE):
        with pytest.raises(FailpointReached):
            await failpoint(HERE)
        with pytest.raises(FailpointReached):
            failpoint_sync(HERE)
    failpoint_sync(HERE)


def test_only_the_nth_pass_can_be_meant() -> None:
    """The first two pass, the third is struck, the fourth passes."""
    struck = []
    with armed(HERE, RAISE, only_pass=3):
        for turn in range(1, 5):
            try:
                failpoint_sync(HERE)
            except FailpointReached:
                struck.append(turn)
    assert struck == [3]


async def test_a_task_is_held_while_the_loop_goes_on() -> None:
    """The test sees that the place was reached, and lets the task go on."""
    with held_at(HERE) as gate:
        passing = asyncio.create_task(failpoint(HERE))
        await gate.reached()
        assert not passing.done()
        gate.open()
        await passing
    assert passing.done()


async def test_a_thread_is_held() -> None:
    """The same for code outside the loop."""
    passed = threading.Event()

    def work() -> None:
        failpoint_sync(HERE)
        passed.set()

    with held_at(HERE) as gate:
        thread = threading.Thread(target=work)
        thread.start()
        await gate.reached()
        assert not passed.is_set()
    thread.join()
    assert passed.is_set()


def test_an_unknown_one_cannot_be_armed() -> None:
    """A misspelt name would make a test pass that tests nothing."""
    with (
        pytest.raises(FailpointError, match=r"no failpoint 'tests.nowhere'; there are: .*tests\.here"),
        armed("tests.nowhere", RAISE),
    ):
        pass


def test_an_undeclared_one_cannot_be_passed_under_test() -> None:
    """Each place can be found by a test that goes through all of them."""
    with armed(HERE, RAISE), pytest.raises(FailpointError, match="never declared"):
        failpoint_sync("tests.undeclared")


def test_a_name_belongs_to_one_place() -> None:
    """Two places under one name could not be told apart."""
    assert declare("tests.here", "nothing has happened yet") == HERE
    with pytest.raises(FailpointError, match="declared twice"):
        declare("tests.here", "something else")


def test_an_empty_environment_arms_nothing() -> None:
    """The variable may be set and empty."""
    arm_from_environment({})
    arm_from_environment({"CORTEX_FAILPOINTS": ""})
    failpoint_sync(HERE)


@pytest.mark.parametrize("enabled", [{}, {"CORTEX_FAILPOINTS_ENABLED": "1"}])
def test_needs_to_be_enabled(enabled: dict[str, str]) -> None:
    """A variable that slipped into production stops the process at its start."""
    with pytest.raises(FailpointError, match="only a test may set it"):
        arm_from_environment({"CORTEX_FAILPOINTS": "tests.here=kill", **enabled})


@pytest.mark.parametrize("action", ["", "=", "=stop", "=pause", "=pause:x", "=kill@x"])
def test_a_malformed_entry_is_refused(action: str) -> None:
    """The error shows the entry and the form."""
    with pytest.raises(FailpointError, match="is not name=kill, name=raise or name=pause:SECONDS"):
        arm_from_environment({"CORTEX_FAILPOINTS": f"tests.here{action}", **ON})


def test_an_unknown_name_in_the_environment_is_refused() -> None:
    """So is a name that nobody declared."""
    with pytest.raises(FailpointError, match=r"no failpoint 'tests\.nowhere'"):
        arm_from_environment({"CORTEX_FAILPOINTS": "tests.nowhere=kill", **ON})
