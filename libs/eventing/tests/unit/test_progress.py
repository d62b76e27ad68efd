import asyncio

import pytest
from cortex_eventing.checkpoints import Lane
from cortex_eventing.errors import Unavailable
from cortex_eventing.progress import Progress, ProgressBoard

pytestmark = pytest.mark.unit

BOX = Lane("box", "a")
OTHER = Lane("box", "b")


@pytest.fixture
def progress() -> Progress:
    """A projection that has shown nothing yet."""
    return Progress("boxes")


async def test_what_is_shown_already_is_not_waited_for(progress: Progress) -> None:
    """Nor is position 0, which everybody shows."""
    await progress.reached(0)
    progress.moved(5)
    await progress.reached(5)


async def test_a_position_is_waited_for(progress: Progress) -> None:
    """Whoever waits is freed by the first step that reaches it."""
    waiting = asyncio.create_task(progress.reached(5))
    await asyncio.sleep(0)
    progress.moved(4)
    await asyncio.sleep(0)
    assert not waiting.done()
    progress.moved(6)
    await waiting


async def test_a_deadline_ends_the_wait(progress: Progress) -> None:
    """The caller hears that it should ask again."""
    with pytest.raises(Unavailable, match="boxes"):
        await progress.reached(5, deadline=asyncio.get_running_loop().time())


async def test_old_news_change_nothing(progress: Progress) -> None:
    """The database's word may come after one's own."""
    progress.moved(5)
    progress.moved(3)
    assert progress.position == 5


async def test_a_rebuild_begins_at_nothing(progress: Progress) -> None:
    """While it lasts, waits are honest."""
    progress.moved(5)
    progress.thrown_away()
    with pytest.raises(Unavailable):
        await progress.reached(5, deadline=asyncio.get_running_loop().time())


async def test_a_watcher_hears_of_its_lane(progress: Progress) -> None:
    """At once, then when its rows changed, or when nobody knows whose rows did."""
    watching = progress.watch(BOX)
    assert await anext(watching) == 0
    following = asyncio.ensure_future(anext(watching))
    await asyncio.sleep(0)
    progress.moved(1, {OTHER})
    await asyncio.sleep(0)
    assert not following.done()
    progress.moved(2, {BOX})
    assert await following == 2
    progress.moved(3)
    progress.moved(4, {OTHER})
    assert await anext(watching) == 4
    await watching.aclose()


async def test_a_watcher_of_everything_hears_everything(progress: Progress) -> None:
    """It names no lane."""
    watching = progress.watch()
    await anext(watching)
    progress.moved(1, {OTHER})
    assert await anext(watching) == 1
    await watching.aclose()


def test_a_board_gives_the_same_progress_each_time() -> None:
    """Projections and queries meet there."""
    board = ProgressBoard()
    assert board.of("boxes") is board.of("boxes")
    assert [progress.reader for progress in board.known()] == ["boxes"]
