import asyncio
import contextlib

import pytest
from cortex_transcriber.speech.turns import FairRoom, Turns
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.unit


def filled(*pairs: str) -> Turns[str]:
    """A queue of items such as `a1`: the first letter is the project."""
    turns: Turns[str] = Turns()
    for item in pairs:
        turns.push(item[0], item)
    return turns


def emptied(turns: Turns[str]) -> list[str]:
    return [turns.pop() for _ in range(len(turns))]


def test_the_oldest_of_one_project_comes_first() -> None:
    """With one project it is a queue like any other."""
    assert emptied(filled("a1", "a2", "a3")) == ["a1", "a2", "a3"]


def test_projects_take_turns() -> None:
    """Who came late with little waits for one piece of work of each other project, however much these have."""
    assert emptied(filled("a1", "a2", "a3", "a4", "b1", "c1", "c2")) == ["a1", "b1", "c1", "a2", "c2", "a3", "a4"]


def test_what_fits_may_go_along_without_costing_the_others_their_turn() -> None:
    """Only the oldest of a project goes; its project stands at the end then."""
    turns = filled("a1", "a2", "b1", "c2", "c1")
    assert turns.pop_first(lambda item: item.endswith("2")) == "c2"
    assert turns.pop_first(lambda item: item.endswith("2")) is None
    assert len(turns) == 4
    assert emptied(turns) == ["a1", "b1", "c1", "a2"]


def test_a_project_that_comes_back_stands_at_the_end() -> None:
    """Nobody gains by asking for one thing at a time."""
    turns = filled("a1", "b1", "b2")
    assert turns.pop() == "a1"
    turns.push("a", "a2")
    assert emptied(turns) == ["b1", "a2", "b2"]


def test_what_has_to_go_is_of_the_one_with_the_most() -> None:
    """A project's flood sheds its own."""
    turns = filled("b1", "a1", "a2", "a3")
    assert [turns.drop(), turns.drop()] == ["a1", "a2"]
    assert sorted(turns) == ["a3", "b1"]


@given(st.lists(st.sampled_from("abcd")), st.integers(0, 5))
def test_nothing_gets_lost(projects: list[str], drops: int) -> None:
    """Everything comes out once, each project's things in their order."""
    items = [f"{project}{number}" for number, project in enumerate(projects)]
    turns = filled(*items)
    gone = [turns.drop() for _ in range(min(drops, len(turns)))]
    left = emptied(turns)
    assert sorted(gone + left) == sorted(items)
    for project in "abcd":
        mine = [item for item in left if item[0] == project]
        assert mine == [item for item in items if item in mine]
    assert not turns


async def holding(room: FairRoom, project: str, name: str, log: list[str], go: asyncio.Event) -> None:
    async with room.place(project):
        log.append(name)
        await go.wait()


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_places_go_round() -> None:
    """A place that is free goes to whoever's turn it is, and not to the one with the most who wait."""
    room, log, go = FairRoom(1), [], asyncio.Event()
    go.set()
    async with room.place("a"):
        tasks = [asyncio.create_task(holding(room, name[0], name, log, go)) for name in ("a1", "a2", "a3", "b1", "c1")]
        await settle()
        assert log == []
    await asyncio.gather(*tasks)
    assert log == ["a1", "b1", "c1", "a2", "a3"]


async def test_who_gives_up_costs_no_place() -> None:
    """Whether before or at the moment in which the place comes."""
    room, log, go = FairRoom(1), [], asyncio.Event()
    holder = asyncio.create_task(holding(room, "a", "a1", log, go))
    await settle()
    early, late, last = (asyncio.create_task(holding(room, name[0], name, log, go)) for name in ("b1", "c1", "d1"))
    await settle()
    early.cancel()
    await settle()
    go.set()
    await asyncio.sleep(0)
    late.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await late
    await asyncio.gather(holder, last)
    async with asyncio.timeout(5), room.place("e"):
        assert "d1" in log
