"""The one call that stores a batch: commands into parallel arrays, and the function's rows into answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cortex_eventing.adapters.claim_keys import ClaimKeys
from cortex_eventing.catalogue import Catalogue
from cortex_eventing.ports import Append, Appended, Outcome
from cortex_eventing.stored_form import state_of

APPEND = (
    "SELECT * FROM cortex_append("
    "%b::text[], %b::uuid[], %b::bigint[], %b::text[], %b::text[], %b::uuid[], %b::bytea[], "
    "%b::int[], %b::uuid[], %b::bigint[], %b::text[], %b::bytea[], "
    "%b::int[], %b::boolean[], %b::text[], %b::bytea[], %b::text[])"
)

Row = Sequence[Any]


@dataclass(frozen=True)
class EncodedAppend:
    """One append as rows for the call's arrays, less its number in the batch."""

    command: Row
    events: Sequence[Row]
    claims: Sequence[Row]


def encode(append: Append, catalogue: Catalogue, keys: ClaimKeys) -> EncodedAppend:
    """What the call needs of one append.

    Raises:
        UnknownTopic: an event is not in the catalogue.
    """
    request = append.request
    command = (
        append.origin.project_id,
        append.aggregate_id,
        append.expected_version,
        append.resource_id,
        request.method if request else None,
        request.request_id if request else None,
        request.body_hash if request else None,
    )
    events = [
        (append.aggregate_id, version, *state_of(catalogue, event, append.origin, append.recorded_at))
        for version, event in enumerate(append.events, start=append.expected_version + 1)
    ]
    claims = [
        (take, claim.kind, keys(claim.kind, claim.value), claim.owner)
        for take, changing in ((False, append.release), (True, append.take))
        for claim in changing
    ]
    return EncodedAppend(command, events, claims)


_WIDTHS = (7, 5, 5)
"""Columns of the commands, the events and the claims."""


def parameters(batch: Sequence[EncodedAppend]) -> list[list[Any]]:
    """The call's arrays for a batch."""
    rows: tuple[list[Row], list[Row], list[Row]] = (
        [encoded.command for encoded in batch],
        [(number, *event) for number, encoded in enumerate(batch, start=1) for event in encoded.events],
        [(number, *claim) for number, encoded in enumerate(batch, start=1) for claim in encoded.claims],
    )
    return [column for part, width in zip(rows, _WIDTHS, strict=True) for column in columns_of(part, width)]


def columns_of(rows: Sequence[Row], width: int) -> list[list[Any]]:
    """Rows turned into one list per column, also when there are none."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def answers(rows: Sequence[Row], size: int) -> list[Appended]:
    """What became of each command of a batch, in the batch's order.

    Raises:
        ValueError: the function did not answer for each command once: it is not the one this code was written for.
    """
    by_number = {
        number: Appended(Outcome(outcome), position, resource_id, version, claim_kind or "", claim_owner or "")
        for number, outcome, position, resource_id, version, claim_kind, claim_owner in rows
    }
    if len(rows) != size or sorted(by_number) != list(range(1, size + 1)):
        raise ValueError("cortex_append did not answer for each command once")
    return [by_number[number] for number in range(1, size + 1)]
