"""What a watcher of a session is told, and what it is told from."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Protocol

from cortex.transcriber.v1.live_pb2 import LiveInterim

from cortex_session.domain.ids import SessionId
from cortex_session.read_models.messages import MessageRow

STRAGGLERS = timedelta(seconds=30)
"""How long after its end a session waits for what was said before, as long as somebody counts as in the room.

The longest utterance and its recognition fit in twice. As a rule it is shorter: the transcriber reports that a speaker
left behind the speaker's last utterance, and when all that it reported is shown and nobody is left, nothing more can
come.
"""


class Presence(Enum):
    """What may be thought of who counts as in the room of a session that has ended."""

    NOT_KNOWN = auto()
    """What the transcriber reported is on its way: whoever comes with it does not count yet."""
    BELIEVED = auto()
    """Everything that the transcriber had stored when the end was seen is shown."""
    DOUBTED = auto()
    """The transcriber is away, or what it reported is too long on its way."""


@dataclass(frozen=True)
class SessionEnd:
    """How a session ended, as the read model knows.

    Attributes:
        reason: an `EndReason`.
        present: how many participants still count as in the room.
    """

    ended_at: datetime
    reason: int
    present: int

    def settled_at(self, presence: Presence) -> datetime | None:
        """When no message is waited for any more; None when that depends on what is on its way."""
        if presence is Presence.NOT_KNOWN:
            return None
        nobody_left = presence is Presence.BELIEVED and self.present == 0
        return self.ended_at if nobody_left else self.ended_at + STRAGGLERS


@dataclass(frozen=True)
class Stored:
    """A message was stored."""

    row: MessageRow


@dataclass(frozen=True)
class CaughtUp:
    """Everything that was stored when the watch began was sent."""

    position: int


@dataclass(frozen=True)
class Speaking:
    """What somebody is saying, so far."""

    interim: LiveInterim


@dataclass(frozen=True)
class Over:
    """The session has ended, and its messages were sent."""

    reason: int
    position: int


Change = Stored | CaughtUp | Speaking | Over


@dataclass(frozen=True)
class Shown:
    """What the read model shows of a session. The rows are at least as new as the end.

    Attributes:
        end: how the session ended; None while it is active, or not known to the read model yet.
        rows: messages stored after a position, in the order of storing.
    """

    end: SessionEnd | None
    rows: Sequence[MessageRow]


class StoredMessages(Protocol):
    """The read model, as a watcher sees it."""

    async def shown(self, project_id: str, session_id: SessionId, after: int, limit: int) -> Shown:
        """What there is after a position, at most `limit` messages. Raises Unavailable."""
        ...


class Bell:
    """Rung when there may be something to send."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self._rows_changed = True

    def ring(self) -> None:
        """Something came that needs no look at the rows."""
        self._rung.set()

    def rows_changed(self) -> None:
        """The rows may have changed."""
        self._rows_changed = True
        self._rung.set()

    def take_rows_changed(self) -> bool:
        """Whether the rows may have changed since this was asked last; at first they have."""
        changed, self._rows_changed = self._rows_changed, False
        return changed

    async def wait(self, seconds: float | None) -> None:
        """Wait until it rings; after this many seconds without a ring the rows are worth a look all the same."""
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            self._rows_changed = True
        self._rung.clear()


class NewestInterims:
    """The interim texts that came since they were last taken: of each peer the newest, so that memory is bounded."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._by_peer: dict[str, LiveInterim] = {}

    def heard(self, interim: LiveInterim) -> None:
        """Somebody says something."""
        self._by_peer[interim.peer_id] = interim
        self._bell.ring()

    def take(self) -> Sequence[LiveInterim]:
        """What came, each once."""
        taken, self._by_peer = list(self._by_peer.values()), {}
        return taken


class LiveTexts(Protocol):
    """Where interim texts come from. What is away is silent, and no error."""

    def of_session(
        self, project_id: str, session_id: SessionId, interims: NewestInterims
    ) -> AbstractAsyncContextManager[None]:
        """Hand over the interim texts of a session as they come, as long as the context lasts."""
        ...
