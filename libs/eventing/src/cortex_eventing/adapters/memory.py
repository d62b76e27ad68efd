"""The event store in memory, for unit tests: behaves as the one on PostgreSQL, and forgets everything at the end."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from cortex_eventing.catalogue import Catalogue
from cortex_eventing.claims import ClaimedValue
from cortex_eventing.committer import check_storable
from cortex_eventing.ports import AggregateHistory, Append, Appended, Outcome, Page, RequestKey
from cortex_eventing.stored_form import StoredRow, open_for_its_aggregate, open_for_others, state_of
from cortex_eventing.waking import Alarmclock

RequestName = tuple[str, str, uuid.UUID]


@dataclass(frozen=True)
class _Request:
    body_hash: bytes
    answer: Appended
    recorded_at: datetime


class MemoryEventStore:
    """The events of one service. Each append is committed at once, on the loop.

    Args:
        catalogue: the service's own events.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._rows: list[StoredRow] = []
        self._versions: dict[uuid.UUID, int] = {}
        self._requests: dict[RequestName, _Request] = {}
        self._claims: dict[ClaimedValue, str] = {}
        self._clocks: set[Alarmclock] = set()

    def commit(self, append: Append, deadline: float | None = None) -> asyncio.Future[Appended]:  # noqa: ARG002
        """Store one append. See `Committer.commit`."""
        check_storable(append)
        states = [state_of(self._catalogue, event, append.origin, append.recorded_at) for event in append.events]
        answer: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
        repeat = self._repeat(append.origin.project_id, append.request) if append.request else None
        answer.set_result(self._refusal(append, repeat) or self._store(append, states))
        return answer

    async def append(self, batch: Sequence[Append]) -> Sequence[Appended]:
        """Store each of the batch, or say why not."""
        return [await self.commit(append) for append in batch]

    async def history(self, aggregate_id: uuid.UUID) -> AggregateHistory:
        """All events of one aggregate, private fields included."""
        rows = [row for row in self._rows if row.aggregate_id == aggregate_id]
        opened = [open_for_its_aggregate(self._catalogue, row.topic, row.state) for row in rows]
        return AggregateHistory(opened[0][0] if opened else "", [event for _, event in opened])

    async def read(self, after: int, limit: int, project_id: str | None = None) -> Page:
        """The events after a position. A project's are picked out of `limit` events of all projects."""
        rows = self._rows[after : after + limit]
        opened = [open_for_others(row, position, position - 1) for position, row in enumerate(rows, start=after + 1)]
        wanted = [event for event in opened if project_id in {None, event.origin.project_id}]
        return Page(wanted, after + len(rows), len(rows) < limit)

    async def head(self) -> int:
        """The highest position stored, 0 when empty."""
        return len(self._rows)

    async def claim_owner(self, project_id: str, kind: str, value: str) -> str | None:
        """Who holds a value, or None."""
        return self._claims.get(ClaimedValue(project_id, kind, value))

    async def find_request(self, project_id: str, request: RequestKey) -> Appended | None:
        """What became of a request: `REPEATED`, `REQUEST_ID_REUSED`, or None when it is not known."""
        return self._repeat(project_id, request)

    @asynccontextmanager
    async def changes(self) -> AsyncIterator[AsyncIterator[None]]:
        """Ticks at once, whenever events were stored, and a few times a second."""
        clock = Alarmclock()
        clock.ring()
        self._clocks.add(clock)
        try:
            yield _ticking(clock)
        finally:
            self._clocks.discard(clock)

    async def purge_requests(self, older_than: datetime, most: int) -> int:
        """Forget requests recorded before a time, at most so many. Says how many."""
        old = [name for name, request in self._requests.items() if request.recorded_at < older_than][:most]
        for name in old:
            del self._requests[name]
        return len(old)

    async def replace_claims(self, at: int, held: Mapping[ClaimedValue, str]) -> bool:
        """Put these claims in the place of all there are, if `at` is still the head; says whether it was."""
        if at != len(self._rows):
            return False
        self._claims = dict(held)
        return True

    def _repeat(self, project_id: str, request: RequestKey) -> Appended | None:
        first = self._requests.get((project_id, request.method, request.request_id))
        if first is None:
            return None
        same = first.body_hash == request.body_hash
        return replace(first.answer, outcome=Outcome.REPEATED if same else Outcome.REQUEST_ID_REUSED)

    def _refusal(self, append: Append, repeat: Appended | None) -> Appended | None:
        """Why an append is not stored, None when it is to be."""
        return repeat or self._conflict(append) or self._taken(append)

    def _conflict(self, append: Append) -> Appended | None:
        if self._versions.get(append.aggregate_id, 0) == append.expected_version:
            return None
        return Appended(Outcome.VERSION_CONFLICT)

    def _taken(self, append: Append) -> Appended | None:
        for claim in append.take:
            holder = self._claims.get(ClaimedValue(append.origin.project_id, claim.kind, claim.value), claim.owner)
            released = {(each.kind, each.value, each.owner) for each in append.release}
            if holder != claim.owner and (claim.kind, claim.value, holder) not in released:
                return Appended(Outcome.CLAIM_TAKEN, claim_kind=claim.kind, claim_owner=holder)
        return None

    def _store(self, append: Append, states: Sequence[tuple[str, bytes]]) -> Appended:
        for version, (topic, state) in enumerate(states, start=append.expected_version + 1):
            self._rows.append(StoredRow(append.aggregate_id, version, topic, state))
            self._versions[append.aggregate_id] = version
        self._change_claims(append)
        version = append.expected_version + len(states) if states else 0
        answer = Appended(Outcome.STORED, len(self._rows), append.resource_id, version)
        if append.request is not None:
            name = append.origin.project_id, append.request.method, append.request.request_id
            self._requests[name] = _Request(append.request.body_hash, answer, append.recorded_at)
        if states:
            for clock in self._clocks:
                clock.ring()
        return answer

    def _change_claims(self, append: Append) -> None:
        project = append.origin.project_id
        for claim in append.release:
            value = ClaimedValue(project, claim.kind, claim.value)
            if self._claims.get(value) == claim.owner:
                del self._claims[value]
        for claim in append.take:
            self._claims[ClaimedValue(project, claim.kind, claim.value)] = claim.owner


async def _ticking(clock: Alarmclock) -> AsyncIterator[None]:
    while True:
        await clock.sleep()
        yield
