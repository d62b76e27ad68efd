import random
from collections.abc import Sequence

import pytest
from cortex_eventing.checkpoints import Checkpoint
from cortex_eventing.contiguity import accept
from cortex_eventing.ports import StreamMessage
from cortex_eventing.recorded import RecordedBytes
from cortex_testkit.contracts.stream_contract import sample_events
from cortex_testkit.event_log import positions
from cortex_testkit.messages import UNHURRIED
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.unit

EVENTS = sample_events(30)


def messages(events: Sequence[RecordedBytes]) -> list[StreamMessage]:
    """Events as messages, numbered by their place in EVENTS."""
    return [StreamMessage(event, EVENTS.index(event) + 1) for event in events]


def test_what_follows_is_taken() -> None:
    """Also across positions that were burnt."""
    accepted = accept(messages(EVENTS), Checkpoint())
    assert accepted.events == list(EVENTS)
    assert accepted.checkpoint == Checkpoint(EVENTS[-1].position, 30)
    assert not accepted.rest


def test_repeats_are_skipped_and_move_the_hint() -> None:
    """The next look begins behind them."""
    accepted = accept(messages(EVENTS[:10]), Checkpoint(EVENTS[9].position, 2))
    assert not accepted.events
    assert accepted.checkpoint == Checkpoint(EVENTS[9].position, 10)


def test_a_gap_stops_it() -> None:
    """What comes behind waits until the gap is filled."""
    accepted = accept(messages([*EVENTS[:3], *EVENTS[4:]]), Checkpoint())
    assert accepted.events == list(EVENTS[:3])
    assert accepted.rest[0].event == EVENTS[4]


@UNHURRIED
@given(st.randoms(use_true_random=False))
def test_whatever_a_stream_does_the_events_come_once_and_in_order(lot: random.Random) -> None:
    """Messages twice, out of order and missing: with gaps filled from the feed nothing is lost and nothing doubled."""
    delivered = [event for event in EVENTS if lot.random() > 0.2]
    delivered += [event for event in EVENTS if lot.random() < 0.3]
    for _ in range(10):
        index = lot.randrange(len(delivered))
        delivered.insert(max(0, index - lot.randrange(8)), delivered.pop(index))
    at, seen, rest = Checkpoint(), list[RecordedBytes](), messages([*delivered, EVENTS[-1]])
    while rest:
        accepted = accept(rest, at)
        seen += accepted.events
        at, rest = accepted.checkpoint, list(accepted.rest)
        if rest:
            missing = [event for event in EVENTS if at.position < event.position <= rest[0].event.position]
            seen += missing
            at = Checkpoint(missing[-1].position, at.sequence)
    assert positions(seen) == positions(EVENTS)
