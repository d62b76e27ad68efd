"""What the sequence numbers of a peer's frames mean in time. Every time of the transcriber derives from them."""

from dataclasses import dataclass
from datetime import datetime, timedelta


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
