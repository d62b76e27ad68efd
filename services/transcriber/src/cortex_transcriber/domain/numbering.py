"""What the sequence numbers of a peer's frames mean in time. Every time of the transcriber derives from them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp


@dataclass(frozen=True)
class Numbering:
    """How a peer's frames are numbered, on every stream it ever comes by.

    Attributes:
        zero_at: when the frame with sequence number 0 was captured.
        frame_duration: how long each sequence number stands for.
    """

    zero_at: datetime
    frame_duration: timedelta

    def began(self, sequence: int) -> datetime:
        """When the frame with this number began."""
        return self.zero_at + sequence * self.frame_duration

    def ended(self, sequence: int) -> datetime:
        """When the frame with this number was over."""
        return self.began(sequence + 1)


def stamp(at: datetime) -> Timestamp:
    """A time, as events write it down."""
    written = Timestamp()
    written.FromDatetime(at)
    return written


def time_of(written: Timestamp) -> datetime:
    """A time, from how events write it down; what is finer than a microsecond is cut off."""
    return written.ToDatetime(tzinfo=UTC)


def span(length: timedelta) -> Duration:
    """A length of time, as events write it down."""
    written = Duration()
    written.FromTimedelta(length)
    return written


def length_of(written: Duration) -> timedelta:
    """A length of time, from how events write it down."""
    return written.ToTimedelta()
