"""Station 9: running a reaction. Commands of different lanes are in flight together, those of one lane one by one."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from typing import Generic, NoReturn

from cortex_eventing.backoff import waits
from cortex_eventing.cancelling import cancel_until_ended
from cortex_eventing.catalogue import Catalogue
from cortex_eventing.checkpoints import Checkpoint, CheckpointStore, Lane, ParkedEvent, Step
from cortex_eventing.errors import Rejected, Unavailable
from cortex_eventing.failpoints import declare, failpoint
from cortex_eventing.folding import describe
from cortex_eventing.reactions import Command, Execute, OnRefusal, Reaction, request_of
from cortex_eventing.reader_metrics import IGNORED, PARKED
from cortex_eventing.reading import Overtaken, Reading, Source
from cortex_eventing.recorded import RecordedBytes
from cortex_eventing.role_state import Absences, Report

log = logging.getLogger(__name__)

BEFORE_COMMAND = declare("reaction.before_command", "an event is read, and its command is not asked for")
AFTER_COMMANDS = declare("reaction.after_commands", "a page's commands are answered, and the checkpoint has not moved")

IN_FLIGHT = 64
"""Commands waiting for their answers at once: enough to fill the committer's batches, few enough to bound memory."""

REFUSALS_RETRIED = 8
"""Attempts at a command whose refusal says RETRY, over about ten seconds; then its lane is parked."""

DEFECTS_RETRIED = 3
"""Attempts at an event over which the reaction itself, or its executor, stumbles."""


class ReactionRunner(Generic[Command]):
    """The role that turns events into commands.

    Args:
        reaction: what to ask for.
        execute: who is asked.
        store: keeps its checkpoint.
        source: the events.
    """

    def __init__(
        self, reaction: Reaction[Command], execute: Execute[Command], store: CheckpointStore, source: Source
    ) -> None:
        self._reaction = reaction
        self._execute = execute
        self._store = store
        self._source = source

    async def run(self, report: Report) -> NoReturn:
        """React for ever. Raises as `Reading.run` does."""
        reactor = _Reactor(self._reaction, self._execute, self._store, self._source, Absences(report))
        await Reading(self._source, reactor).run(report)


class _Reactor(Generic[Command]):
    """Reacts to pages of events."""

    def __init__(
        self,
        reaction: Reaction[Command],
        execute: Execute[Command],
        store: CheckpointStore,
        source: Source,
        absences: Absences,
    ) -> None:
        self.name = reaction.name
        self._absences = absences
        self._reaction = reaction
        self._execute = execute
        self._store = store
        self._source = source
        self._catalogue = Catalogue(reaction.listens_to)
        self._parked: frozenset[Lane] = frozenset()
        self._room = asyncio.Semaphore(IN_FLIGHT)

    async def start(self) -> Checkpoint:
        """Where the checkpoint stands."""
        self._parked = await self._store.parked_lanes()
        await self.idle()
        return await self._store.load()

    async def handle(self, events: Sequence[RecordedBytes], old: Checkpoint, new: Checkpoint) -> None:
        """React to all events, then move the checkpoint."""
        lanes: dict[Lane, list[RecordedBytes]] = {}
        for raw in events:
            if raw.topic in self._catalogue:
                lanes.setdefault(self._lane(raw), []).append(raw)
        parked = await self._react_to_lanes(lanes)
        await failpoint(AFTER_COMMANDS)
        if not await self._store.step(Step(old, new, sorted(parked, key=lambda event: event.position))):
            raise Overtaken
        self._parked |= {event.lane for event in parked}
        PARKED.labels(self.name).inc(len(parked))

    async def _react_to_lanes(self, lanes: dict[Lane, list[RecordedBytes]]) -> list[ParkedEvent]:
        """All lanes side by side; what was parked."""
        tasks = [asyncio.create_task(self._react_to_lane(lane, events)) for lane, events in lanes.items()]
        try:
            return [event for parked in await asyncio.gather(*tasks) for event in parked]
        finally:
            await cancel_until_ended(*tasks)

    async def _react_to_lane(self, lane: Lane, events: Sequence[RecordedBytes]) -> list[ParkedEvent]:
        """One lane's events in order; from the first that fails on they are parked."""
        for index, raw in enumerate(events):
            why = "behind a parked event of its lane" if lane in self._parked else await self._react(raw)
            if why is not None:
                log.error("%s parked %s at position %d: %s", self.name, raw.topic, raw.position, why)
                behind = [
                    ParkedEvent.of(later, lane, "behind a parked event of its lane") for later in events[index + 1 :]
                ]
                return [ParkedEvent.of(raw, lane, why), *behind]
        return []

    async def _react(self, raw: RecordedBytes) -> str | None:
        """React to one event; None when it is dealt with, else why it should be parked."""
        refusals = defects = 0
        pauses = waits()
        while True:
            try:
                await self._ask_until_answered(raw, pauses)
            except Rejected as refused:
                refusals += 1
                rule = self._reaction.rule(refused)
                if rule is OnRefusal.IGNORE:
                    IGNORED.labels(self.name, refused.reason).inc()
                    return None
                if rule is OnRefusal.PARK or refusals >= REFUSALS_RETRIED:
                    return f"refused with {refused.reason}"
            except Exception as error:  # noqa: BLE001 - one event that nobody foresaw must not stop all others
                defects += 1
                if defects >= DEFECTS_RETRIED:
                    return describe(error)
            else:
                return None
            await asyncio.sleep(next(pauses))

    async def _ask_until_answered(self, raw: RecordedBytes, pauses: Iterator[float]) -> None:
        """Ask, again and again while somebody who is needed is away: the role says so meanwhile."""
        with self._absences.one() as absent:
            while True:
                try:
                    async with self._room:
                        return await self._ask(raw)
                except Unavailable as away:
                    absent(str(away))
                await asyncio.sleep(next(pauses))

    async def _ask(self, raw: RecordedBytes) -> None:
        request = request_of(self._reaction, self._catalogue.parse(raw))
        if request is not None:
            await failpoint(BEFORE_COMMAND)
            await self._execute(request)

    def _lane(self, raw: RecordedBytes) -> Lane:
        """The lane of an event; one that cannot be parsed is a lane of its own aggregate."""
        event_type = self._catalogue.of(raw.topic)
        try:
            return Lane(event_type.resource, event_type.resource_id(self._catalogue.parse(raw).event))
        except Exception:  # noqa: BLE001 - whatever is wrong with it, it must be set aside somewhere
            return Lane(event_type.resource, str(raw.aggregate_id))

    async def idle(self) -> None:
        """React once more to parked events that somebody asked for."""
        wanted = await self._store.wanted_back()
        for lane in dict.fromkeys(event.lane for event in wanted):
            await self._replay(lane, [event for event in wanted if event.lane == lane])
        if wanted:
            self._parked = await self._store.parked_lanes()

    async def _replay(self, lane: Lane, events: Sequence[ParkedEvent]) -> None:
        """A lane's parked events in order, as far as they succeed."""
        for event in events:
            page = await self._source.feed.read(event.position - 1, 1)
            there = page.events and page.events[0].position == event.position
            why = await self._react(page.events[0]) if there else None
            if why is not None:
                await self._store.keep_parked(lane, event.position, why)
                return
            await self._store.settle(lane, event.position)
