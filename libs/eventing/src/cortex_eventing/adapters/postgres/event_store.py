"""Station 4: the event store on PostgreSQL, the only truth."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from types import TracebackType
from typing import Self

from cortex_eventing.adapters.claim_keys import ClaimKeys
from cortex_eventing.adapters.postgres.append_call import encode
from cortex_eventing.adapters.postgres.batch_writer import BatchWriter
from cortex_eventing.adapters.postgres.claim_table import replace_claims
from cortex_eventing.adapters.postgres.commit_thread import CommitThread
from cortex_eventing.adapters.postgres.listener import Listener
from cortex_eventing.adapters.postgres.reading_pool import ReadingPool
from cortex_eventing.cancelling import cancel_until_ended
from cortex_eventing.catalogue import Catalogue
from cortex_eventing.claims import ClaimedValue
from cortex_eventing.committer import check_storable
from cortex_eventing.ports import AggregateHistory, Append, Appended, Outcome, Page, RequestKey
from cortex_eventing.role_state import Report, Reports
from cortex_eventing.roles import Role, running
from cortex_eventing.stored_form import StoredRow, open_for_its_aggregate, open_for_others

# The scalar subselect is computed once, from the index; positions have gaps, so the predecessor must be looked up.
_PAGE = """
    SELECT notification_id, originator_id, originator_version, topic, state,
           (SELECT coalesce(max(notification_id), 0) FROM stored_events WHERE notification_id <= %(after)s)
    FROM stored_events WHERE notification_id > %(after)s ORDER BY notification_id LIMIT %(limit)s
"""
_HISTORY = "SELECT topic, state FROM stored_events WHERE originator_id = %s ORDER BY originator_version"
_HEAD = "SELECT coalesce(max(notification_id), 0) FROM stored_events"
_CLAIM_OWNER = "SELECT owner FROM claims WHERE project_id = %s AND kind = %s AND key = %s"
_REQUEST = """
    SELECT body_hash = %s, "position", resource_id, version
    FROM requests WHERE project_id = %s AND method = %s AND request_id = %s
"""
_PURGE = "SELECT cortex_purge_requests(%s, %s)"


class PostgresEventStore:
    """The events of one service in PostgreSQL. Nothing connects before it is needed.

    Used as an async context manager, on one loop; PostgreSQL may be away at the start and at any time. What fails
    inside it unexpectedly cancels the body and is raised from the context.

    Args:
        dsn: to the service's database, as its writer.
        catalogue: the service's own events.
        claim_secret: keys the hashes of claimed values (`CORTEX_CLAIM_KEY`).
    """

    def __init__(self, dsn: str, catalogue: Catalogue, claim_secret: bytes) -> None:
        self._dsn = dsn
        self._catalogue = catalogue
        self._keys = ClaimKeys(claim_secret)
        self._commits = CommitThread(BatchWriter(dsn))
        self._pool = ReadingPool(dsn)
        self._listener = Listener(dsn)
        # What works for the store beside its callers; when it fails the body of the store's context is cancelled.
        self._working = running([Role("store", self._work)], Reports())

    async def __aenter__(self) -> Self:
        self._commits.start()
        await self._working.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._commits.stop()
        finally:
            try:
                await self._working.__aexit__(kind, error, trace)
            finally:
                await self._pool.close()

    async def _work(self, _report: Report) -> None:
        """Listen, and mind the thread that commits; neither ends unless something unexpected happens."""
        tasks = [
            asyncio.create_task(self._listener.run(), name="listen for stored events"),
            asyncio.create_task(self._commits.until_failed(), name="mind the commits"),
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            await cancel_until_ended(*tasks)

    def commit(self, append: Append, deadline: float | None = None) -> asyncio.Future[Appended]:
        """Hand one append to the committer. See `Committer.commit`.

        Raises:
            Unavailable: too many appends wait already, or the store is closing.
            UnknownTopic: an event is not in the catalogue.
            ValueError: see `check_storable`.
        """
        check_storable(append)
        return self._commits.commit(append, encode(append, self._catalogue, self._keys), deadline)

    async def append(self, batch: Sequence[Append]) -> Sequence[Appended]:
        """Store each of the batch, or say why not, each on its own.

        Raises:
            Unavailable: of one or more of them nothing is known.
        """
        return await asyncio.gather(*[self.commit(append) for append in batch])

    async def history(self, aggregate_id: uuid.UUID) -> AggregateHistory:
        """All events of one aggregate, private fields included."""
        rows = await self._pool.fetch(_HISTORY, [aggregate_id])
        opened = [open_for_its_aggregate(self._catalogue, topic, state) for topic, state in rows]
        return AggregateHistory(opened[0][0] if opened else "", [event for _, event in opened])

    async def read(self, after: int, limit: int, project_id: str | None = None) -> Page:
        """The events after a position. A project's are picked out of `limit` events of all projects."""
        rows = await self._pool.fetch(_PAGE, {"after": after, "limit": limit})
        previous = [rows[0][5], *(row[0] for row in rows)] if rows else []
        opened = [
            open_for_others(StoredRow(*row[1:5]), row[0], before) for row, before in zip(rows, previous, strict=False)
        ]
        wanted = opened if project_id is None else [event for event in opened if event.origin.project_id == project_id]
        return Page(wanted, rows[-1][0] if rows else after, len(rows) < limit)

    async def head(self) -> int:
        """The highest position stored, 0 when empty."""
        rows = await self._pool.fetch(_HEAD, [])
        return int(rows[0][0])

    async def claim_owner(self, project_id: str, kind: str, value: str) -> str | None:
        """Who holds a value, or None."""
        rows = await self._pool.fetch(_CLAIM_OWNER, [project_id, kind, self._keys(kind, value)])
        return str(rows[0][0]) if rows else None

    async def find_request(self, project_id: str, request: RequestKey) -> Appended | None:
        """What became of a request: `REPEATED`, `REQUEST_ID_REUSED`, or None when it is not known."""
        rows = await self._pool.fetch(_REQUEST, [request.body_hash, project_id, request.method, request.request_id])
        if not rows:
            return None
        same, *first = rows[0]
        return Appended(Outcome.REPEATED if same else Outcome.REQUEST_ID_REUSED, *first)

    def changes(self) -> AbstractAsyncContextManager[AsyncIterator[None]]:
        """Ticks at once, whenever events may have been stored, and a few times a second."""
        return self._listener.ticks()

    async def purge_requests(self, older_than: datetime, most: int) -> int:
        """Forget requests recorded before a time; a repeat of one of them is a new request. Says how many."""
        rows = await self._pool.fetch(_PURGE, [older_than, most])
        return int(rows[0][0])

    async def replace_claims(self, at: int, held: Mapping[ClaimedValue, str]) -> bool:
        """Put these claims in the place of all there are, if `at` is still the head; says whether it was."""
        claims = (
            (claimed.project_id, claimed.kind, self._keys(claimed.kind, claimed.value), owner)
            for claimed, owner in held.items()
        )
        return await replace_claims(self._dsn, at, claims)
