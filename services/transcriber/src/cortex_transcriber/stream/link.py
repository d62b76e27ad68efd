"""Whether a bot that promised to be heard from is: otherwise nobody knows that its peers are silent."""

import math
from datetime import timedelta
from typing import Final

MISSED: Final = 2
"""Heartbeats that fit into what a link may be quiet for: one may be late on a busy machine."""

GIVEN_UP_AFTER: Final = 25.0
"""Seconds: a bot finds out within 20 that its link is dead, by the pings of our client, and comes back on another one.
After that, what its peers were saying is over."""


class Link:
    """The way from one bot to us.

    Args:
        heartbeat: the bot sends something at least this often; None when it promised nothing, and a peer's silence is
            all that can be known.
        at: when the stream was opened, in seconds of the loop's clock, as every time here.

    Attributes:
        messages: how many came so far. They are counted and not timed, since nearly every message is a frame.
    """

    def __init__(self, heartbeat: timedelta | None, at: float) -> None:
        self.messages = 0
        self._longest_gap = MISSED * heartbeat.total_seconds() if heartbeat else math.inf
        self._up_since = -math.inf
        self._seen = 0
        self._heard_at = at

    def up_since(self, at: float) -> float:
        """Since when what a bot sends arrives, as far as anybody knows; infinity while it does not. To be asked often:
        messages since the last time are taken to have come now.
        """
        quiet_for = at - self._heard_at
        if self.messages > self._seen:
            self._seen, self._heard_at = self.messages, at
            self._up_since = at if quiet_for > self._longest_gap else self._up_since
        elif quiet_for > self._longest_gap:
            return -math.inf if quiet_for > GIVEN_UP_AFTER else math.inf
        return self._up_since
