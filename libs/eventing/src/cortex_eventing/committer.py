"""Station 3: appends that wait are committed together, one transaction for many commands."""

import asyncio
from collections import deque
from collections.abc import Hashable, Iterable, Iterator
from typing import Protocol, TypeVar

from cortex_eventing.ports import Append, Appended

MAX_BATCH = 256
"""Commands in one transaction. Past a few hundred the rate hardly rises, while each caller waits for all the others."""


class Committer(Protocol):
    """Takes appends one by one and commits those that wait together."""

    def commit(self, append: Append, deadline: float | None = None) -> asyncio.Future[Appended]:
        """Hand one append over, on the loop.

        The future ends with what became of it, or with Unavailable when that could not be learned in time. It is not
        the caller's to cancel: what was handed over may be stored, whoever still waits.

        Args:
            append: what to store.
            deadline: when nobody wants the answer any more, in seconds of `time.monotonic()`.
        """
        ...


class Waits(Protocol):
    """Something that waits to be committed."""

    @property
    def append(self) -> Append:
        """What is to be stored."""
        ...


Waiting = TypeVar("Waiting", bound=Waits)


def next_batch(waiting: deque[Waiting], limit: int = MAX_BATCH) -> list[Waiting]:
    """Take from the queue what can be committed in one call, in order; the rest stays, in order.

    Two commands of one call may not share aggregate, request id or claim: the later one stays for the next call, and
    with it whatever it would clash with.
    """
    batch: list[Waiting] = []
    held: list[Waiting] = []
    touched: set[Hashable] = set()
    while waiting and len(batch) < limit:
        entry = waiting.popleft()
        touches = set(_touches(entry.append))
        (held if touches & touched else batch).append(entry)
        touched |= touches
    waiting.extendleft(reversed(held))
    return batch


def _touches(append: Append) -> Iterator[Hashable]:
    """What no other command of the same call may touch."""
    yield append.aggregate_id
    if append.request is not None:
        yield "request", append.origin.project_id, append.request.method, append.request.request_id
    for claim in (*append.take, *append.release):
        yield "claim", append.origin.project_id, claim.kind, claim.value


def check_storable(append: Append) -> None:
    """Refuse what no store can hold, before it is in a batch with others.

    Raises:
        ValueError: a text has a NUL character, or the version is negative; says which.
    """
    if append.expected_version < 0:
        raise ValueError("the expected version is negative")
    for name, text in _texts(append):
        if "\0" in text:
            raise ValueError(f"the {name} has a NUL character")


def _texts(append: Append) -> Iterable[tuple[str, str]]:
    yield "project id", append.origin.project_id
    yield "resource id", append.resource_id
    if append.request is not None:
        yield "method", append.request.method
    for claim in (*append.take, *append.release):
        yield "claim's kind", claim.kind
        yield "claim's owner", claim.owner
