"""When the read model shows everything that the transcriber has reported: the presence in a room counts from then on.

An end alone says nothing about what was said before it: a join, words and a leave may be stored by the transcriber and
not read here yet, or read and not yet shown. Until then "nobody is in the room" may mean "nobody yet".
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cortex_eventing.progress import Progress

from cortex_session.watched import STRAGGLERS

Head = Callable[[], Awaitable[int]]
"""The highest position that a service has stored. Raises Unavailable."""


@dataclass(frozen=True)
class Stage:
    """A reader of a feed, and where the feed ends."""

    head: Head
    progress: Progress


@dataclass(frozen=True)
class Settling:
    """The way of the transcriber's events into the read model.

    Attributes:
        heard: the reaction to the transcriber's events.
        shown: the projection of this service's events.
    """

    heard: Stage
    shown: Stage

    async def settled(self) -> None:
        """Wait until the read model shows all that the transcriber has stored by now.

        Raises:
            Unavailable: the transcriber or the database is away, or it takes longer than anybody is waited for.
        """
        deadline = asyncio.get_running_loop().time() + STRAGGLERS.total_seconds()
        for stage in (self.heard, self.shown):
            await stage.progress.reached(await stage.head(), deadline)
