"""Stations 6 and 7: keeping read models up to date with a service's events.

    SESSIONS = Projection("sessions", (SESSION_LIST, ATTENDANCE))

    runner = ProjectionRunner(SESSIONS, store, source, board.of("sessions"))
    roles = [Role("projection:sessions", runner.run), ...]

`rebuild` throws the read models away; whoever runs the projection then folds them anew from the store's first event.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from cortex_eventing.backoff import waits
from cortex_eventing.checkpoints import Checkpoint, Lane, ParkedEvent, Step
from cortex_eventing.failpoints import declare, failpoint
from cortex_eventing.folding import Concern, Fold, Listening, Unfoldable, describe
from cortex_eventing.progress import Progress
from cortex_eventing.projection_ports import ProjectionStore, Unstorable
from cortex_eventing.read_model import ReadModel
from cortex_eventing.reader_metrics import PARKED
from cortex_eventing.reading import Overtaken, Reading, Source
from cortex_eventing.recorded import RecordedBytes
from cortex_eventing.role_state import Report
from cortex_eventing.row_cache import RowCache

log = logging.getLogger(__name__)

BEFORE_WRITE = declare("projection.before_write", "a page is folded in memory, and nothing of it is written")
AFTER_WRITE = declare("projection.after_write", "a page is written with its checkpoint, and nobody has taken note")

POISON_RETRIES = 3
"""Attempts at an event that cannot be folded before its lane is parked. `project` is pure, so only a cause outside it,
a database out of space for instance, can be gone by then."""


@dataclass(frozen=True)
class Projection:
    """Read models that are folded together from one service's events and share a checkpoint.

    Attributes:
        name: never renamed: the checkpoint is kept under it.
        read_models: the tables.
    """

    name: str
    read_models: tuple[ReadModel[Any], ...]


class ProjectionRunner:
    """The role that keeps a projection's read models up to date.

    Args:
        projection: what to fold.
        store: where the rows stand.
        source: the events.
        progress: told of every step.
    """

    def __init__(self, projection: Projection, store: ProjectionStore, source: Source, progress: Progress) -> None:
        self._folder = _Folder(projection, store, source, progress)
        self._reading = Reading(source, self._folder)

    async def run(self, report: Report) -> NoReturn:
        """Fold for ever. Raises as `Reading.run` does."""
        await self._reading.run(report)


class _Folder:
    """Folds pages and writes them."""

    def __init__(self, projection: Projection, store: ProjectionStore, source: Source, progress: Progress) -> None:
        self.name = projection.name
        self._store = store
        self._source = source
        self._progress = progress
        self._listening = Listening(projection.read_models)
        self._cache = RowCache(projection.read_models, store)
        self._parked: frozenset[Lane] = frozenset()
        self._at = Checkpoint()

    async def start(self) -> Checkpoint:
        """Where the checkpoint stands; what is in memory counts for nothing."""
        self._cache.forget()
        self._parked = await self._store.parked_lanes()
        self._at = await self._store.load()
        if self._at.position < self._progress.position:
            self._progress.thrown_away()
        self._progress.moved(self._at.position)
        await self.idle()
        return self._at

    async def handle(self, events: Sequence[RecordedBytes], old: Checkpoint, new: Checkpoint) -> None:
        """Fold a page and write it. A page that fails is halved until the event at fault stands alone."""
        try:
            await self._write(events, old, new)
        except (Unfoldable, Unstorable) as error:
            self._cache.forget()
            if len(events) == 1:
                await self._retry_or_park(events[0], old, new, error)
                return
            half = len(events) // 2
            middle = replace(old, position=events[half - 1].position)
            await self.handle(events[:half], old, middle)
            await self.handle(events[half:], middle, new)

    async def _write(self, events: Sequence[RecordedBytes], old: Checkpoint, new: Checkpoint) -> None:
        concerns: list[Concern] = []
        lanes: set[Lane] = set()
        parked: list[ParkedEvent] = []
        for raw in events:
            if not self._listening.hears(raw):
                continue
            lane, found = self._listening.concerns(raw)
            if lane in self._parked:
                parked.append(ParkedEvent.of(raw, lane, "behind a parked event of its lane"))
            else:
                concerns += found
                lanes.add(lane)
        fold = await self._fold(concerns)
        await failpoint(BEFORE_WRITE)
        if not await self._store.write(Step(old, new, parked), fold.changes()):
            raise Overtaken
        await failpoint(AFTER_WRITE)
        self._moved(new, lanes)
        PARKED.labels(self.name).inc(len(parked))

    async def _fold(self, concerns: Sequence[Concern]) -> Fold:
        fold = Fold(await self._cache.rows_for(concerns))
        for concern in concerns:
            fold.apply(concern)
        return fold

    def _moved(self, new: Checkpoint, lanes: set[Lane]) -> None:
        self._at = new
        self._progress.moved(new.position, lanes)

    async def _retry_or_park(
        self, raw: RecordedBytes, old: Checkpoint, new: Checkpoint, error: Unfoldable | Unstorable
    ) -> None:
        """Try one event a few times more, then set its lane aside."""
        pauses = waits()
        for _ in range(POISON_RETRIES - 1):
            await asyncio.sleep(next(pauses))
            try:
                await self._write([raw], old, new)
            except (Unfoldable, Unstorable) as again:
                self._cache.forget()
                error = again
            else:
                return
        await self._park(raw, old, new, error)

    async def _park(self, raw: RecordedBytes, old: Checkpoint, new: Checkpoint, error: Unfoldable | Unstorable) -> None:
        lane = self._listening.lane(raw)
        why = str(error) if isinstance(error, Unfoldable) else describe(error)
        if not await self._store.write(Step(old, new, [ParkedEvent.of(raw, lane, why)]), []):
            raise Overtaken
        log.error("%s parked %s at position %d: %s", self.name, raw.topic, raw.position, why)
        self._parked |= {lane}
        self._moved(new, set())
        PARKED.labels(self.name).inc()

    async def idle(self) -> None:
        """Notice that the read models were thrown away meanwhile, and replay the lanes that somebody asked for."""
        if (await self._store.load()).position != self._at.position:
            raise Overtaken
        wanted = await self._store.wanted_back()
        for lane in dict.fromkeys(event.lane for event in wanted):
            await self._replay(lane, [event for event in wanted if event.lane == lane])
        if wanted:
            self._parked = await self._store.parked_lanes()

    async def _replay(self, lane: Lane, events: Sequence[ParkedEvent]) -> None:
        """Fold a lane's parked events, all of them or none; the checkpoint stays where it is."""
        position = events[0].position
        try:
            concerns: list[Concern] = []
            for event in events:
                position = event.position
                page = await self._source.feed.read(position - 1, 1)
                if page.events and page.events[0].position == position:
                    concerns += self._listening.concerns(page.events[0])[1]
            fold = await self._fold(concerns)
            moved = await self._store.write(Step(self._at, self._at), fold.changes(), settle=lane)
        except (Unfoldable, Unstorable) as error:
            self._cache.forget()
            why = str(error) if isinstance(error, Unfoldable) else describe(error)
            await self._store.keep_parked(lane, position, why)
            return
        if not moved:
            raise Overtaken
        log.info("%s replayed %d parked events", self.name, len(events))


async def rebuild(store: ProjectionStore) -> None:
    """Throw a projection's read models away; its runner, here or in another replica, builds them anew at once.

    Raises:
        Unavailable: the database is away; it may or may not have happened.
    """
    await store.throw_away()
