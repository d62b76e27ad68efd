import asyncio

import pytest
from cortex_eventing import cancelling
from cortex_eventing.cancelling import cancel_until_ended

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancel again at once."""
    monkeypatch.setattr(cancelling, "CANCEL_AGAIN_EVERY", 0.001)


async def stubborn(swallow: int) -> None:
    """Swallow some cancellations, as Python 3.11's `wait_for` may."""
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if swallow == 0:
                raise
            swallow -= 1


async def started(task: "asyncio.Task[None]") -> "asyncio.Task[None]":
    """A task that has run up to its first wait."""
    await asyncio.sleep(0)
    return task


@pytest.mark.parametrize("swallow", [0, 1, 5])
async def test_a_task_that_swallows_cancellations_ends(swallow: int) -> None:
    """It is cancelled again until it has ended."""
    task = await started(asyncio.create_task(stubborn(swallow)))
    await cancel_until_ended(task)
    assert task.cancelled()


async def test_one_that_fails_is_ended_too() -> None:
    """How it ended is not looked at, and not reported later either."""

    async def failing() -> None:
        raise ValueError

    task = await started(asyncio.create_task(failing()))
    await cancel_until_ended(task)
    assert task.done()


async def test_the_caller_may_be_cancelled_meanwhile() -> None:
    """The task is ended all the same, and the caller's cancellation is not lost."""
    task = await started(asyncio.create_task(stubborn(3)))
    caller = await started(asyncio.create_task(cancel_until_ended(task)))
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert task.cancelled()
