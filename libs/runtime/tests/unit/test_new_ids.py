"""Ids that rise with time."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from cortex_runtime.clock import SystemClock
from cortex_runtime.ids import STEP_BITS, Uuid7Ids
from cortex_testkit.clock import FrozenClock

pytestmark = pytest.mark.unit


def milliseconds_of(identity: uuid.UUID) -> int:
    """The time in an id: its first 48 bits."""
    return identity.int >> 80


def test_is_a_uuid_of_version_7() -> None:
    """Everybody's UUID tools recognise it."""
    made = Uuid7Ids(SystemClock()).new()
    assert (made.version, made.variant) == (7, uuid.RFC_4122)


def test_spreads_its_bits_as_the_standard_says() -> None:
    """Time first; all random bits set shows where version and variant lie."""
    clock = FrozenClock(datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC))  # the time of the RFC's own example
    made = Uuid7Ids(clock, lambda bits: (1 << bits) - 1).new()
    assert made == uuid.UUID("017f22e2-79b0-7fff-bfff-ffffffffffff")


def test_rises_within_a_millisecond() -> None:
    """Ids of one moment are still in the order in which they were made."""
    ids = Uuid7Ids(FrozenClock())
    made = [ids.new() for _ in range(1000)]
    assert made == sorted(set(made))


def test_rises_when_the_clock_goes_back() -> None:
    """A corrected clock puts no new id before an old one."""
    clock = FrozenClock()
    ids = Uuid7Ids(clock)
    before = ids.new()
    clock.advance(timedelta(hours=-1))
    assert ids.new() > before


def test_goes_into_the_next_millisecond_when_one_is_full() -> None:
    """The largest number of a millisecond is followed by the smallest of the next, not by a repetition."""
    answers = iter([(1 << 74) - 1, 0])
    ids = Uuid7Ids(FrozenClock(), lambda _: next(answers))
    first, second = ids.new(), ids.new()
    assert milliseconds_of(second) == milliseconds_of(first) + 1


def test_the_next_one_cannot_be_guessed() -> None:
    """Within a millisecond the distance is drawn anew each time."""
    asked: list[int] = []
    ids = Uuid7Ids(FrozenClock(), lambda bits: asked.append(bits) or 5)  # type: ignore[func-returns-value]
    first, second = ids.new(), ids.new()
    assert asked[-1] == STEP_BITS
    assert second.int - first.int == 6


def test_follows_the_clock() -> None:
    """An id tells when it was made, to the millisecond."""
    clock = FrozenClock()
    ids = Uuid7Ids(clock)
    before = milliseconds_of(ids.new())
    clock.advance(timedelta(seconds=2))
    assert milliseconds_of(ids.new()) - before == 2000


def test_the_system_clock_speaks_utc() -> None:
    """Times are never local."""
    assert SystemClock().now().tzinfo is UTC
