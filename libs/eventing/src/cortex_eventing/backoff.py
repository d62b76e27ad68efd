"""How long to wait before trying again."""

import random
from collections.abc import Iterator

FIRST = 0.05
"""Seconds: a server that restarts at once is met soon."""
LONGEST = 5.0
"""Seconds: a server that is back waits at most this long for us."""
GROWTH = 2.0
_lot = random.Random()  # noqa: S311 - spreads load, guards nothing; one for all, as seeding takes as long as a query
JITTER = 0.5
"""The share of each wait that is drawn by lot, so that replicas do not come all at once."""


def waits(draw: random.Random | None = None, first: float = FIRST, longest: float = LONGEST) -> Iterator[float]:
    """Rising waits in seconds, without end."""
    lot = draw or _lot
    wait = first
    while True:
        yield wait * (1 - JITTER * lot.random())
        wait = min(wait * GROWTH, longest)
