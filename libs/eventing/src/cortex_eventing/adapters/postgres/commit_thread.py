"""The border between the event loop and the thread that commits; nothing else in this library crosses it."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NoReturn, Protocol

from cortex_eventing.adapters.postgres.append_call import EncodedAppend
from cortex_eventing.backoff import waits
from cortex_eventing.committer import next_batch
from cortex_eventing.errors import Unavailable
from cortex_eventing.ports import Append, Appended, Outcome

PATIENCE = 10.0
"""Seconds for an append whose caller names no deadline: a restart of PostgreSQL fits in."""

MOST_WAITING = 10_000
"""Appends; with PostgreSQL away the queue of a busy service is full in seconds, and more would only cost memory."""

LONGEST_WAIT = 1.0
"""Seconds between two attempts: a server that is back is used within a second."""

GATHER = 0.004
"""Seconds in which appends gather after a batch of several: about what a commit takes. A batch costs PostgreSQL and
everybody who is told of it much, and an append in it little; a caller that is alone never waits."""


class Writes(Protocol):
    """Writes batches, in the thread."""

    def write(self, batch: Sequence[EncodedAppend]) -> list[Appended]:
        """Store each of the batch, or say why not. Raises Unavailable."""
        ...

    def close(self) -> None:
        """Let go of the server."""
        ...


@dataclass(slots=True, eq=False)
class Entry:
    """An append on its way.

    Attributes:
        deadline: in seconds of `time.monotonic()`.
        answer: belongs to the loop.
        in_doubt: it was sent at least once, and the answer did not come.
    """

    append: Append
    encoded: EncodedAppend
    deadline: float
    answer: asyncio.Future[Appended]
    in_doubt: bool = False


Settled = tuple[Entry, Appended | Exception]


class CommitThread:
    """Commits what waits, batch by batch, in a thread of its own.

    After a lost connection the same batch is sent again until its callers' deadlines: the function looks for the
    request rows under the lock, so it says what became of the first attempt. A plain SELECT would prove nothing, as
    the old backend may still commit.
    """

    def __init__(self, writer: Writes) -> None:
        self._writer = writer
        self._waiting: deque[Entry] = deque()
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._in_hand: Sequence[Entry] = ()
        self._failure: Exception | None = None
        self._failed = asyncio.Event()

    def start(self) -> None:
        """Begin, on the running loop."""
        self._loop = asyncio.get_running_loop()
        # A daemon: a process that was told to end does not wait for a server that is away.
        self._thread = threading.Thread(target=self._run, name="commits", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Commit what waits, if the server is there, answer everybody, and end."""
        self._stopping.set()
        with self._changed:
            self._changed.notify()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
            await asyncio.sleep(0)  # the last answers are told by callbacks that the thread left on the loop

    async def until_failed(self) -> NoReturn:
        """Wait for the thread to die of a defect, and raise that; without the thread the process is of no use."""
        await self._failed.wait()
        raise self._failure or RuntimeError

    def commit(self, append: Append, encoded: EncodedAppend, deadline: float | None) -> asyncio.Future[Appended]:
        """Hand an append over, on the loop. See `Committer.commit`."""
        if self._loop is None or self._stopping.is_set() or len(self._waiting) >= MOST_WAITING:
            raise Unavailable("the event store")
        answer: asyncio.Future[Appended] = self._loop.create_future()
        until = time.monotonic() + PATIENCE if deadline is None else deadline
        with self._changed:
            self._waiting.append(Entry(append, encoded, until, answer))
            self._changed.notify()
        return answer

    def _run(self) -> None:
        try:
            while batch := self._next_batch():
                self._in_hand = batch
                self._commit(batch)
                if len(batch) > 1:
                    self._stopping.wait(GATHER)
            self._writer.close()
        except BaseException as error:  # noqa: BLE001 - nobody stands above a thread: the loop is told
            # Nothing is taken any more, so that what the loop finds waiting is all that there will ever be.
            self._stopping.set()
            failure = error if isinstance(error, Exception) else RuntimeError(type(error).__name__)
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._fail, failure)

    def _fail(self, failure: Exception) -> None:
        """On the loop: answer everybody who would wait for ever, and tell whoever minds the thread."""
        _tell([(entry, failure) for entry in (*self._in_hand, *self._waiting)])
        self._waiting.clear()
        self._failure = failure
        self._failed.set()

    def _next_batch(self) -> list[Entry]:
        """What to commit next; empty at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopping.is_set())
            return next_batch(self._waiting)

    def _commit(self, batch: list[Entry]) -> None:
        for wait in waits(longest=LONGEST_WAIT):
            batch = self._without_expired(batch)
            if not batch:
                return
            try:
                answers = self._writer.write([entry.encoded for entry in batch])
            except Unavailable as away:
                for entry in batch:
                    entry.in_doubt = True
                if self._stopping.wait(wait):
                    self._settle((entry, away) for entry in batch)
                    return
            except Exception as defect:  # noqa: BLE001 - a defect of ours, or a database without our function
                self._settle((entry, defect) for entry in batch)
                return
            else:
                self._settle((entry, _told(entry, answer)) for entry, answer in zip(batch, answers, strict=True))
                return

    def _without_expired(self, batch: list[Entry]) -> list[Entry]:
        now = time.monotonic()
        expired = [entry for entry in batch if entry.deadline <= now]
        if not expired:
            return batch
        self._settle((entry, Unavailable("PostgreSQL")) for entry in expired)
        return [entry for entry in batch if entry.deadline > now]

    def _settle(self, settled: Iterable[Settled]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_tell, list(settled))


def _told(entry: Entry, answer: Appended) -> Appended | Exception:
    """What a caller may believe: without a request row, a conflict after a lost answer may be with its own events."""
    unsure = entry.in_doubt and entry.append.request is None
    if unsure and answer.outcome is Outcome.VERSION_CONFLICT:
        return Unavailable("PostgreSQL")
    return answer


def _tell(settled: Sequence[Settled]) -> None:
    for entry, answer in settled:
        if entry.answer.done():
            continue
        if isinstance(answer, Exception):
            entry.answer.set_exception(answer)
        else:
            entry.answer.set_result(answer)
