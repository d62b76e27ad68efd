"""The time, and new ids, as things that are handed in."""

import uuid
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """What time it is."""

    def now(self) -> datetime:
        """The present, in UTC."""
        ...


class Ids(Protocol):
    """New ids."""

    def new(self) -> uuid.UUID:
        """An id that nobody had before, rising with time."""
        ...
