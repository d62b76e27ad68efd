"""Watching what is said (8, 9): history, a marker, then each message as it is stored, until the session is over.

A watcher reads the read model from the last position that it sent, so nothing is missed or doubled between history and
live, nor after a resume. It holds no queue: a slow one finds more rows at its next look, page by page, and of interim
texts the newest of each peer. The projection wakes the watchers of a session when rows of that session changed.

Once the end is seen, who counts as in the room is believed only after everything that the transcriber had stored by
then has come through.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from datetime import datetime

from cortex_eventing.cancelling import cancel_until_ended
from cortex_eventing.checkpoints import Lane
from cortex_eventing.clock import Clock
from cortex_eventing.errors import Rejected, Unavailable
from cortex_eventing.progress import Progress

from cortex_session.domain.ids import SessionId
from cortex_session.settling import Settling
from cortex_session.watched import (
    Bell,
    CaughtUp,
    Change,
    LiveTexts,
    NewestInterims,
    Over,
    Presence,
    SessionEnd,
    Speaking,
    Stored,
    StoredMessages,
)

PAGE = 200
"""Messages read at once: bounds what a watcher holds, some 100 KiB."""


class MessageWatch:
    """Watches sessions.

    Args:
        stored: the read model.
        settling: the way into it.
        live: interim texts.
        clock: what time it is.
    """

    def __init__(
        self,
        stored: StoredMessages,
        settling: Settling,
        *,
        live: LiveTexts,
        clock: Clock,
    ) -> None:
        self._stored = stored
        self._settling = settling
        self._progress = settling.shown.progress
        self._live = live
        self._clock = clock

    async def changes(
        self, project_id: str, session_id: SessionId, after: int, *, include_interim: bool
    ) -> AsyncGenerator[Change]:
        """Everything that is stored on a session after a position, as it happens. Close it when done.

        Raises:
            Unavailable: the database is away; resume from the last position.
        """
        bell = Bell()
        interims = NewestInterims(bell)
        until = await self._settling.shown.head()
        look = _Look(self._stored, self._progress, self._clock, of=(project_id, session_id), last=after, until=until)
        live = self._live.of_session(project_id, session_id, interims) if include_interim else nullcontext()
        async with self._ringing(bell, session_id, look), live:
            while not look.over:
                if bell.take_rows_changed():
                    for change in await look.changes():
                        yield change
                    if look.found_a_full_page:
                        bell.rows_changed()
                if look.caught_up:
                    for interim in interims.take():
                        yield Speaking(interim)
                if not look.over:
                    await bell.wait(look.seconds_to_settle())

    @asynccontextmanager
    async def _ringing(self, bell: Bell, session_id: SessionId, look: "_Look") -> AsyncIterator[None]:
        """Ring when rows of the session changed, when all that was there at first is shown, when the end settles."""
        tasks = [
            asyncio.create_task(self._ring_for(bell, Lane("session", str(session_id)))),
            asyncio.create_task(self._ring_at(bell, look.until)),
            asyncio.create_task(self._ring_when_settled(bell, look)),
        ]
        try:
            yield
        finally:
            await cancel_until_ended(*tasks)

    async def _ring_for(self, bell: Bell, lane: Lane) -> None:
        async for _ in self._progress.watch(lane):
            bell.rows_changed()

    async def _ring_at(self, bell: Bell, position: int) -> None:
        await self._progress.reached(position)
        bell.rows_changed()

    async def _ring_when_settled(self, bell: Bell, look: "_Look") -> None:
        await look.end_seen.wait()
        try:
            await self._settling.settled()
            look.presence = Presence.BELIEVED
        except (Unavailable, Rejected):
            look.presence = Presence.DOUBTED
        bell.rows_changed()


class _Look:
    """One watcher's looks at the read model.

    Args:
        of: the project and the session.
        last: the position up to which everything was sent.
        until: the position from which on the watcher has caught up.

    Attributes:
        end_seen: set once the read model shows the session's end.
        presence: what is thought of who counts as in the room by then.
    """

    def __init__(
        self,
        stored: StoredMessages,
        progress: Progress,
        clock: Clock,
        *,
        of: tuple[str, SessionId],
        last: int,
        until: int,
    ) -> None:
        self._stored = stored
        self._progress = progress
        self._clock = clock
        self._of = of
        self._last = last
        self._end: SessionEnd | None = None
        self._settled_at: datetime | None = None
        self.until = until
        self.end_seen = asyncio.Event()
        self.presence = Presence.NOT_KNOWN
        self.found_a_full_page = False
        self.caught_up = False
        self.over = False

    async def changes(self) -> list[Change]:
        """What is there now and was not sent, at most a page of it."""
        position, presence = self._progress.position, self.presence  # asked first: the rows are at least as new
        shown = await self._stored.shown(*self._of, self._last, PAGE)
        self._see(shown.end, presence)
        self._last = shown.rows[-1].position if shown.rows else self._last
        self.found_a_full_page = len(shown.rows) == PAGE
        changes: list[Change] = [Stored(row) for row in shown.rows]
        return changes if self.found_a_full_page else [*changes, *self._markers(position)]

    def _see(self, end: SessionEnd | None, presence: Presence) -> None:
        if end is not None:
            self._end, self._settled_at = end, end.settled_at(presence)
            self.end_seen.set()

    def _markers(self, position: int) -> list[Change]:
        """What can be said when every row up to a position was sent."""
        self._last = max(self._last, position)
        markers: list[Change] = []
        if not self.caught_up and position >= self.until:
            self.caught_up = True
            markers.append(CaughtUp(self._last))
        if self.caught_up and self._end and self._settled_at and self._clock.now() >= self._settled_at:
            self.over = True
            markers.append(Over(self._end.reason, self._last))
        return markers

    def seconds_to_settle(self) -> float | None:
        """When a look is due without being woken; None for never."""
        if self._settled_at is None:
            return None
        return max(0.0, (self._settled_at - self._clock.now()).total_seconds())
