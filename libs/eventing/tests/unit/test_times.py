from datetime import UTC, datetime, timedelta

import pytest
from cortex_eventing.times import length_of, span, stamp, time_of
from google.protobuf.timestamp_pb2 import Timestamp

pytestmark = pytest.mark.unit


def test_a_time_survives_to_the_microsecond() -> None:
    """What is written down is read back, in UTC."""
    at = datetime(2026, 11, 21, 10, 0, 0, 123457, UTC)
    assert time_of(stamp(at)) == at


def test_nanoseconds_are_cut_off() -> None:
    """A client may name nanoseconds; they neither fail nor round up into the future."""
    assert time_of(Timestamp(seconds=1, nanos=1999)) == datetime(1970, 1, 1, 0, 0, 1, 1, UTC)


@pytest.mark.parametrize("length", [timedelta(0), timedelta(hours=24), timedelta(microseconds=-1500001)])
def test_a_length_survives(length: timedelta) -> None:
    """Offsets before a session's creation are negative and stay so."""
    assert length_of(span(length)) == length
