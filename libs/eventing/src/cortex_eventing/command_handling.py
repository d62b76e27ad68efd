"""Stations 1 to 4: a command is decided on its aggregate's state, and what it leads to is committed.

    take the aggregate's turn -> state -> decide -> hand over -> (committed) -> keep the new state, end the turn, answer

The turn outlives the handler: once an append is handed over, its callback ends the turn, whether the caller still
waits or not. So version n + 1 is never appended before n has committed.
"""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Protocol

from google.protobuf.message import Message

from cortex_eventing.clock import Clock
from cortex_eventing.command_metrics import COMMANDS, CONFLICTS
from cortex_eventing.committer import Committer
from cortex_eventing.decider import Command, Decider, Decision, Event, State
from cortex_eventing.errors import ClaimTaken, ClaimTakenBy, Contended, InvalidInput, NotFound, Rejected, Unavailable
from cortex_eventing.failpoints import declare, failpoint
from cortex_eventing.ports import AggregateHistory, Append, Appended, Outcome, RequestKey
from cortex_eventing.recorded import Origin
from cortex_eventing.state_cache import MOST_AGGREGATES, Known, Slot, StateCache

ATTEMPTS = 5
"""Decisions on one command. Each conflict means that another replica got on; five in a row mean that callers do not
spread, and another attempt would only make the crowd bigger."""

NEW: Known[Any] = Known("", None, 0)
"""An aggregate without events."""

AFTER_DECIDE = declare("commands.after_decide", "a command is decided, and nothing of it is stored")


class CommandStore(Committer, Protocol):
    """What command handling needs of the event store."""

    async def history(self, aggregate_id: uuid.UUID) -> AggregateHistory:
        """All events of one aggregate."""
        ...

    async def head(self) -> int:
        """The highest position stored."""
        ...

    async def find_request(self, project_id: str, request: RequestKey) -> Appended | None:
        """What became of a request: `REPEATED`, `REQUEST_ID_REUSED`, or None when it is not known."""
        ...


@dataclass(frozen=True)
class Done(Generic[State]):
    """A command's result.

    Attributes:
        position: a query with this `min_position` sees what the command did.
        aggregate_id: the aggregate; for a repeated command the one of its first time, though it may have named another.
        resource_id: the same as text.
        version: of the state.
        state: after the command; for a repeated one as it is now.
        repeated: it was done before, and nothing was done now.
        changed: it stored events; for a repeated one, it did so the first time.
        events: what it led to; empty when it changed nothing or was repeated.
    """

    position: int
    aggregate_id: uuid.UUID
    resource_id: str
    version: int
    state: State | None
    repeated: bool
    changed: bool = False
    events: Sequence[Message] = ()


@dataclass(frozen=True)
class _Task(Generic[Command]):
    """A command with all that came along with it."""

    command: Command
    aggregate_id: uuid.UUID
    origin: Origin
    request: RequestKey | None
    deadline: float | None


@dataclass(frozen=True)
class _Verdict(Generic[State, Event]):
    """What a decision on a certain state came to: events and the state after them, or why not."""

    before: Known[State]
    decision: Decision[Event]
    after: State | None
    rejection: Rejected | None = None

    @property
    def leads_to_something(self) -> bool:
        return bool(self.decision.events or self.decision.take or self.decision.release)


class CommandHandling(Generic[Command, State, Event]):
    """Carries out the commands of one kind of aggregate.

    Args:
        decider: what may be done.
        store: where it is written down.
        clock: tells when.
        cached: how many aggregates' states are kept.
    """

    def __init__(
        self,
        decider: Decider[Command, State, Event],
        store: CommandStore,
        clock: Clock,
        cached: int = MOST_AGGREGATES,
    ) -> None:
        self._decider = decider
        self._store = store
        self._clock = clock
        self._cache: StateCache[State] = StateCache(cached)

    async def handle(
        self, command: Command, origin: Origin, request: RequestKey | None = None, deadline: float | None = None
    ) -> Done[State]:
        """Carry out a command once, however often it is asked for under the same request id.

        Args:
            command: what to do; its aggregate may be new.
            origin: where it came from. An aggregate of another project is treated as missing.
            request: how a repeat is recognised.
            deadline: when the caller gives up, in seconds of `time.monotonic()`.

        Raises:
            Rejected: the decider says no.
            ClaimTaken: another owner holds a value that the command wants.
            InvalidInput: `REQUEST_ID_REUSED`, the request id was used for another request.
            Unavailable: the store is away, or others changed the aggregate again and again. What became of the
                command is not known; under its request id it can be asked for again.
        """
        task = _Task(command, self._decider.aggregate_id(command), origin, request, deadline)
        outcome = "failed"
        try:
            async with asyncio.timeout_at(deadline):
                done = await self._until_not_contended(task)
            outcome = "repeated" if done.repeated else "stored" if done.events else "nothing"
        except TimeoutError as error:
            outcome = "unavailable"
            raise Unavailable("the event store") from error
        except Unavailable:
            outcome = "unavailable"
            raise
        except Rejected as rejection:
            outcome = "claim_taken" if isinstance(rejection, ClaimTaken) else "rejected"
            raise
        finally:
            COMMANDS.labels(self._decider.name, outcome).inc()
        return done

    async def load(self, aggregate_id: uuid.UUID, project_id: str) -> tuple[State | None, int]:
        """An aggregate's state and version as the store has them now; None and 0 for missing and foreign alike.

        Raises:
            Unavailable: the store is away.
        """
        known = await self._read(aggregate_id)
        return (known.state, known.version) if known.project_id == project_id else (None, 0)

    async def _until_not_contended(self, task: _Task[Command]) -> Done[State]:
        for attempt in range(ATTEMPTS):
            done = await self._attempt(task, unknown_is_new=attempt == 0)
            if done is not None:
                return done
            CONFLICTS.labels(self._decider.name).inc()
        raise Contended

    async def _attempt(self, task: _Task[Command], *, unknown_is_new: bool) -> Done[State] | None:
        """Decide and store once. None when another writer was faster: then the cache is cold, and one tries again."""
        slot = await self._cache.take_turn(task.aggregate_id)
        handed_over = False
        try:
            verdict = await self._decide(task, slot, NEW if unknown_is_new else None)
            await failpoint(AFTER_DECIDE)
            if verdict.rejection is not None:
                return await self._first_result(task, verdict.rejection)
            if not verdict.leads_to_something and task.request is None:
                return await self._nothing(task, verdict)
            answer = self._hand_over(task, slot, verdict)
            handed_over = True
        finally:
            if not handed_over:
                self._cache.end_turn(task.aggregate_id, slot)
        return await self._answer(task, verdict, await answer)

    async def _decide(
        self, task: _Task[Command], slot: Slot[State], unknown: Known[State] | None
    ) -> _Verdict[State, Event]:
        """Decide on the cached state; what does not lead to an event is decided again on the store's.

        Version conflicts protect only what is stored: a "no" from an outdated state would never be found out. They
        protect a guess just as well: an aggregate that is not in the cache is taken for a new one, which spares
        whatever creates something a look at the store; everything else says no to that, and looks.
        """
        known = slot.known or unknown
        if known is not None:
            verdict = self._judge(task, known)
            if verdict.rejection is None and verdict.decision.events:
                return verdict
        slot.known = None
        slot.known = await self._read(task.aggregate_id)
        return self._judge(task, slot.known)

    def _judge(self, task: _Task[Command], known: Known[State]) -> _Verdict[State, Event]:
        mine = not known.version or known.project_id == task.origin.project_id
        state = known.state if mine else None
        try:
            decision = self._decider.decide(task.command, state)
            if decision.events and not mine:
                raise NotFound(self._decider.name)
        except Rejected as rejection:
            return _Verdict(known, Decision(), known.state, rejection)
        return _Verdict(known, decision, self._decider.fold(decision.events, state))

    async def _first_result(self, task: _Task[Command], rejection: Rejected) -> Done[State]:
        """Refuse, unless this is a repeat: what was done the first time is often why it cannot be done now.

        The state was just read, so whatever the first time changed in it is committed, and its request row too.
        """
        if task.request is not None:
            found = await self._store.find_request(task.origin.project_id, task.request)
            if found is not None:
                return await self._repeat(task, found)
        raise rejection

    async def _nothing(self, task: _Task[Command], verdict: _Verdict[State, Event]) -> Done[State]:
        return _done(task, await self._store.head(), verdict)

    def _hand_over(
        self, task: _Task[Command], slot: Slot[State], verdict: _Verdict[State, Event]
    ) -> asyncio.Future[Appended]:
        """Let the committer store the decision; the future is the caller's own, to be cancelled as it likes."""
        append = Append(
            origin=task.origin,
            aggregate_id=task.aggregate_id,
            expected_version=verdict.before.version,
            events=verdict.decision.events,
            recorded_at=self._clock.now(),
            resource_id=str(task.aggregate_id),
            request=task.request,
            take=verdict.decision.take,
            release=verdict.decision.release,
        )
        committed = self._store.commit(append, task.deadline)
        answer: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
        committed.add_done_callback(partial(self._committed, task, slot, verdict, answer))
        return answer

    def _committed(
        self,
        task: _Task[Command],
        slot: Slot[State],
        verdict: _Verdict[State, Event],
        answer: asyncio.Future[Appended],
        committed: asyncio.Future[Appended],
    ) -> None:
        """Keep what is known now, end the turn, and tell the caller if it is still there."""
        error = committed.exception()
        slot.known = None if error else _known_after(task, verdict, committed.result())
        self._cache.end_turn(task.aggregate_id, slot)
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(committed.result())

    async def _answer(
        self, task: _Task[Command], verdict: _Verdict[State, Event], appended: Appended
    ) -> Done[State] | None:
        match appended.outcome:
            case Outcome.STORED:
                return _done(task, appended.position, verdict)
            case Outcome.VERSION_CONFLICT:
                return None
            case Outcome.CLAIM_TAKEN:
                raise ClaimTaken(ClaimTakenBy(appended.claim_kind, appended.claim_owner))
            case Outcome.REPEATED | Outcome.REQUEST_ID_REUSED:
                return await self._repeat(task, appended)

    async def _repeat(self, task: _Task[Command], first: Appended) -> Done[State]:
        """Answer with what the first time led to, as it is now."""
        if first.outcome is Outcome.REQUEST_ID_REUSED:
            raise InvalidInput(
                "this request id was used for another request", reason="REQUEST_ID_REUSED", field="request_id"
            )
        aggregate_id = uuid.UUID(first.resource_id)
        state, version = await self.load(aggregate_id, task.origin.project_id)
        changed = first.version > 0
        return Done(first.position, aggregate_id, first.resource_id, version, state, repeated=True, changed=changed)

    async def _read(self, aggregate_id: uuid.UUID) -> Known[State]:
        history = await self._store.history(aggregate_id)
        # The store holds only this decider's events under this id, and parses them to their own classes.
        state = self._decider.fold(history.events)  # type: ignore[arg-type]
        return Known(history.project_id, state, history.version)


def _known_after(task: _Task[Command], verdict: _Verdict[State, Event], appended: Appended) -> Known[State] | None:
    """What is known of the aggregate once the store has answered; None when it is not what was thought."""
    match appended.outcome:
        case Outcome.STORED if verdict.decision.events:
            return Known(task.origin.project_id, verdict.after, appended.version)
        case Outcome.STORED | Outcome.CLAIM_TAKEN if verdict.before.version:
            return verdict.before
        case _:
            return None


def _done(task: _Task[Command], position: int, verdict: _Verdict[State, Event]) -> Done[State]:
    # A foreign aggregate counts as missing here as well.
    version = verdict.before.version + len(verdict.decision.events) if verdict.after is not None else 0
    return Done(
        position,
        task.aggregate_id,
        str(task.aggregate_id),
        version,
        verdict.after,
        repeated=False,
        changed=bool(verdict.decision.events),
        events=verdict.decision.events,
    )
