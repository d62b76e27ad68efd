"""The roles that keep the record of who is where: each replica says whom it carries, one finds those nobody carries."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NoReturn, Protocol

from cortex_eventing.recorded import Origin
from cortex_eventing.role_state import Report

from cortex_transcriber.domain.commands import LeaveSpeaker, SpeakerKey
from cortex_transcriber.stream.open_streams import OpenStreams
from cortex_transcriber.stream.ports import Carried, Speakers

BEAT_EVERY: Final = 5.0
"""Seconds between two signs of life: a twelfth of the grace, so that a few may be lost."""

SWEEP_EVERY: Final = 5.0
"""Seconds between two looks: how late a leaving may become known. Its time does not depend on it."""

SWEEP_AFTER: Final = 3 * BEAT_EVERY
"""Seconds before the first look, at the start and after the database was away: every replica says first whom it
carries."""


class Beating(Protocol):
    """The record, as those who carry see it."""

    async def beat(self, everybody: Sequence[Carried]) -> set[str]:
        """Keep these speakers' rows fresh; the holders that lost theirs to other streams. Raises Unavailable."""
        ...


class Missed(Protocol):
    """A speaker in a room whom no stream carries."""

    @property
    def project_id(self) -> str:
        """Its project."""
        ...

    @property
    def speaker(self) -> SpeakerKey:
        """Who it is."""
        ...

    @property
    def last_frame_at(self) -> datetime:
        """When its last frame ended."""
        ...


class Sweeping(Protocol):
    """The record, as the sweep sees it. Every method raises Unavailable."""

    async def absent(self) -> Sequence[Missed]:
        """Some of the speakers who are in a room and on no stream, for longer than the grace."""
        ...

    async def forget(self) -> None:
        """Drop what is recorded of speakers who left."""
        ...


class Heartbeat:
    """The role of every replica that says whom its streams carry."""

    def __init__(self, open_streams: OpenStreams, record: Beating) -> None:
        self._open_streams = open_streams
        self._record = record

    async def run(self, report: Report) -> NoReturn:
        """Beat for ever."""
        while True:
            await self.beat()
            report.working()
            await asyncio.sleep(BEAT_EVERY)

    async def beat(self) -> None:
        """Say it once, and learn which speakers other replicas took."""
        self._open_streams.lost(await self._record.beat(self._open_streams.carried()))


class Sweep:
    """The elected role that says goodbye for speakers whose streams broke and did not come back."""

    def __init__(self, record: Sweeping, speakers: Speakers) -> None:
        self._record = record
        self._speakers = speakers

    async def run(self, report: Report) -> NoReturn:
        """Sweep for ever."""
        await asyncio.sleep(SWEEP_AFTER)
        while True:
            await self.sweep()
            report.working()
            await asyncio.sleep(SWEEP_EVERY)

    async def sweep(self) -> None:
        """Date the leaving of everybody who is absent by their last frames."""
        for missed in await self._record.absent():
            command = LeaveSpeaker(missed.speaker, missed.last_frame_at)
            await self._speakers.handle(command, Origin(missed.project_id, actor="sweep"))
        await self._record.forget()
