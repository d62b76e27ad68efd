"""Time and ids that a test controls."""

import uuid
from datetime import timedelta

import pytest
from cortex_testkit.clock import NOON, FrozenClock
from cortex_testkit.ids import CountedIds

pytestmark = pytest.mark.unit


def test_the_clock_stands_still_until_it_is_moved() -> None:
    """Two looks show the same time."""
    clock = FrozenClock()
    assert clock.now() == clock.now() == NOON
    assert clock.advance(timedelta(minutes=1)) == clock.now() == NOON + timedelta(minutes=1)


def test_ids_are_counted() -> None:
    """A test knows them beforehand, and they pass as real ones."""
    ids = CountedIds()
    assert [str(ids.new()) for _ in range(2)] == [
        "00000000-0000-7000-8000-000000000001",
        "00000000-0000-7000-8000-000000000002",
    ]
    made = ids.new()
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
