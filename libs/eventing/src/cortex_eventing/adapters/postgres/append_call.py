"""The one call that stores a batch: commands into parallel arrays, and the function's rows into answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cortex_eventing.adapters.claim_keys import ClaimKeys
from cortex_eventing.adapters.postgres.arrays import Bigints, Booleans, Byteas, Column, Ints, Texts, Uuids
from cortex_eventing.catalogue import Catalogue
from cortex_eventing.ports import Append, Appended, Outcome
from cortex_eventing.stored_form import state_of

COMMANDS = (Texts, Uuids, Bigints, Bigints, Texts, Texts, Uuids, Byteas)
"""Project, aggregate, expected version, last version, resource, method, request id, hash of the request."""
EVENTS = (Ints, Uuids, Bigints, Texts, Byteas)
"""Command, aggregate, version, topic, state."""
CLAIMS = (Ints, Booleans, Texts, Byteas, Texts)
"""Command, whether it takes, kind, key, owner."""

APPEND = (
    "SELECT * FROM cortex_append("
    "%b, %b, %b, %b, %b, %b, %b, %b, "  # the commands
    "%b, %b, %b, %b, %b, "  # the events
    "%b, %b, %b, %b, %b)"  # the claims
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
        append.expected_version + len(append.events) if append.events else None,
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


def parameters(batch: Sequence[EncodedAppend]) -> list[Column]:
    """The call's arrays for a batch."""
    numbered = list(enumerate(batch, start=1))
    return [
        *columns_of([encoded.command for encoded in batch], COMMANDS),
        *columns_of([(number, *event) for number, encoded in numbered for event in encoded.events], EVENTS),
        *columns_of([(number, *claim) for number, encoded in numbered for claim in encoded.claims], CLAIMS),
    ]


def columns_of(rows: Sequence[Row], kinds: Sequence[type[Column]]) -> list[Column]:
    """Rows turned into one array per column, also when there are none."""
    columns = zip(*rows, strict=True) if rows else ((),) * len(kinds)
    return [kind(column) for kind, column in zip(kinds, columns, strict=True)]


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
