"""Stations 6 and 7: how a service declares a table that answers a question.

A read model is a row, its key, and a pure function that folds events into it:

    @dataclass(frozen=True)
    class SessionRow:
        project_id: uuid.UUID
        session_id: uuid.UUID
        status: str
        position: int

    def project(row: SessionRow | None, recorded: Recorded[SessionEvent]) -> SessionRow | None:
        match recorded.event, row:
            case SessionCreated() as created, None:
                return SessionRow(..., position=recorded.position)
            case SessionEnded(), SessionRow():
                return replace(row, status="ended", position=recorded.position)
        return row

    SESSIONS = ReadModel(
        table="sessions",
        row=SessionRow,
        key=("session_id",),
        listens_to=(SessionCreated, SessionEnded),
        key_of=lambda recorded: (uuid.UUID(recorded.event.session_id),),
        project=project,
    )

A migration of the service makes the table, with a column per field of the row and the key as its primary key, and
ends with `SELECT cortex_guard_read_model('sessions')`. Field types and the columns they need: str text, int bigint,
float double precision, bool boolean, bytes bytea, uuid.UUID uuid, datetime timestamptz, timedelta interval, an enum
text or bigint, dict and tuple jsonb; each may be `| None`. Nothing else writes to the table.
"""

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from cortex_eventing.recorded import Recorded

Row = TypeVar("Row")
Key = tuple[object, ...]

TABLE_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
"""What may stand in a statement as the name of a table."""

PROJECT_COLUMN = "project_id"
"""The column that row-level security looks at."""


class BrokenReadModel(ValueError):
    """A declaration that cannot work; raised when the service is imported, so that no test can miss it."""


@dataclass(frozen=True, eq=False)
class ReadModel(Generic[Row]):
    """One table, folded from events.

    Attributes:
        table: its name; changing what `project` does needs a rebuild.
        row: a frozen dataclass whose fields are the table's columns; one is `project_id`.
        key: the fields that are the table's primary key.
        listens_to: the classes of the events that concern it.
        key_of: the key of the row that an event concerns; None when it concerns none after all.
        project: the row after the event; None removes it, the row itself changes nothing. Pure.
    """

    table: str
    row: type[Row]
    key: tuple[str, ...]
    listens_to: tuple[type[Message], ...]
    key_of: Callable[[Recorded[Any]], Key | None]
    project: Callable[[Row | None, Recorded[Any]], Row | None]

    def __post_init__(self) -> None:
        if not TABLE_NAME.fullmatch(self.table):
            raise BrokenReadModel(f"{self.table!r} is no name for a table")
        if not dataclasses.is_dataclass(self.row):
            raise BrokenReadModel(f"the row of {self.table} must be a dataclass")
        missing = {PROJECT_COLUMN, *self.key} - set(self.columns)
        if missing or not self.key:
            raise BrokenReadModel(f"the row of {self.table} lacks {', '.join(sorted(missing)) or 'a key'}")
        if not self.listens_to:
            raise BrokenReadModel(f"{self.table} listens to nothing")

    @property
    def columns(self) -> tuple[str, ...]:
        """The table's columns, in the order of the row's fields."""
        return tuple(field.name for field in dataclasses.fields(self.row))  # type: ignore[arg-type]

    def key_in(self, row: Row) -> Key:
        """The key that a row carries."""
        found = attrgetter(*self.key)(row)
        return found if len(self.key) > 1 else (found,)
