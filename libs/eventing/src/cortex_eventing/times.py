"""Times and lengths of time, between Python's types and those that events are written in.

Python knows microseconds, protobuf nanoseconds: what is finer than a microsecond is cut off.
"""

from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def stamp(at: datetime) -> Timestamp:
    """A time, as events write it down."""
    written = Timestamp()
    written.FromDatetime(at)
    return written


def time_of(written: Timestamp) -> datetime:
    """A time in UTC, from how events write it down."""
    return _EPOCH + timedelta(seconds=written.seconds, microseconds=written.nanos // 1000)


def span(length: timedelta) -> Duration:
    """A length of time, as events write it down."""
    written = Duration()
    written.FromTimedelta(length)
    return written


def length_of(written: Duration) -> timedelta:
    """A length of time, from how events write it down."""
    return written.ToTimedelta()
