"""Read models of the service that does not exist: its boxes, and how much each project has put away."""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from cortex_eventing.projection import Projection
from cortex_eventing.read_model import Key, ReadModel
from cortex_eventing.recorded import Recorded

from cortex_testkit.sample_events import BoxFilled, BoxOpened

POISON = 666
"""An amount that the fold below stumbles over."""

TOO_MUCH = 2**63 - 1
"""An amount that, added to another, no column of the table can hold."""

LARGE_FROM = 100
"""A box with more than this in it is a large one."""

EMPTYING = 0
"""Filling nothing in throws the box away, so that rows are removed too."""


class Size(StrEnum):
    """How much lies in a box."""

    SMALL = "small"
    LARGE = "large"


@dataclass(frozen=True)
class BoxRow:
    """One box."""

    project_id: uuid.UUID
    box_id: str
    label: str | None
    amount: int
    size: Size
    amounts: tuple[int, ...]
    changed_at: datetime
    position: int


def project_box(row: BoxRow | None, recorded: Recorded[Any]) -> BoxRow | None:
    """The box after an event."""
    event, raw = recorded.event, recorded.raw
    now = row or BoxRow(
        uuid.UUID(recorded.project_id), event.box_id, None, 0, Size.SMALL, (), raw.recorded_at, raw.position
    )
    if isinstance(event, BoxOpened):
        return replace(now, label=event.label, position=raw.position)  # type: ignore[attr-defined]
    if event.amount == POISON:
        raise ValueError("poison")
    if event.amount == EMPTYING:
        return None
    amount = now.amount + event.amount
    size = Size.LARGE if amount > LARGE_FROM else Size.SMALL
    return replace(now, amount=amount, size=size, amounts=(*now.amounts[-2:], event.amount), position=raw.position)


@dataclass(frozen=True)
class TotalRow:
    """What a project has put into all its boxes."""

    project_id: uuid.UUID
    fillings: int


def project_total(row: TotalRow | None, recorded: Recorded[Any]) -> TotalRow:
    """The project's total after an event."""
    return TotalRow(uuid.UUID(recorded.project_id), (row.fillings if row else 0) + 1)


def _box_key(recorded: Recorded[Any]) -> Key:
    return recorded.event.box_id, uuid.UUID(recorded.project_id)


BOXES = ReadModel("boxes", BoxRow, ("box_id", "project_id"), (BoxOpened, BoxFilled), _box_key, project_box)
TOTALS = ReadModel(
    "totals",
    TotalRow,
    ("project_id",),
    (BoxFilled,),
    lambda recorded: (uuid.UUID(recorded.project_id),),
    project_total,
)
PROJECTION = Projection("boxes", (BOXES, TOTALS))

TABLES = """
CREATE TABLE boxes (
    project_id uuid NOT NULL,
    box_id text NOT NULL,
    label text,
    amount bigint NOT NULL,
    size text NOT NULL,
    amounts jsonb NOT NULL,
    changed_at timestamptz NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (project_id, box_id)
);
CREATE TABLE totals (project_id uuid PRIMARY KEY, fillings bigint NOT NULL);
SELECT cortex_guard_read_model('boxes'), cortex_guard_read_model('totals');
"""
"""What a migration of that service would hold."""
