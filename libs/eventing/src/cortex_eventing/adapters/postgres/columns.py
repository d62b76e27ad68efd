"""How the fields of a row become the columns of a table, many rows at once."""

import dataclasses
import enum
import types
import typing
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from cortex_eventing.read_model import BrokenReadModel

_PLAIN: dict[Any, str] = {
    str: "text",
    int: "bigint",
    float: "double precision",
    bool: "boolean",
    bytes: "bytea",
    uuid.UUID: "uuid",
    datetime: "timestamptz",
    timedelta: "interval",
}


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        name: of the field and the column.
        sql_type: PostgreSQL's name of its type.
        dump: what to send for a value; None sends it as it is.
        load: the value of what came; None takes it as it is.
    """

    name: str
    sql_type: str
    dump: Callable[[Any], Any] | None = None
    load: Callable[[Any], Any] | None = None

    def dumped(self, values: Sequence[Any]) -> list[Any]:
        """The values of one column of many rows, as they are sent."""
        if self.dump is None:
            return list(values)
        return [None if value is None else self.dump(value) for value in values]


def columns_of(row: type[Any]) -> tuple[Column, ...]:
    """The columns of a row's dataclass.

    Raises:
        BrokenReadModel: a field's type has no column.
    """
    hints = typing.get_type_hints(row)
    return tuple(_column(row, field.name, _not_none(hints[field.name])) for field in dataclasses.fields(row))


def _not_none(hint: object) -> object:
    """The type beside None in `X | None`; other types as they are."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        others = [each for each in typing.get_args(hint) if each is not type(None)]
        return others[0] if len(others) == 1 else hint
    return hint


def _column(row: type[Any], name: str, hint: object) -> Column:
    if hint in _PLAIN:
        return Column(name, _PLAIN[hint])
    if typing.get_origin(hint) is typing.Literal:
        return Column(name, _PLAIN[type(typing.get_args(hint)[0])])
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        kind = type(next(iter(hint)).value)
        return Column(name, _PLAIN[kind], dump=lambda value: value.value, load=hint)
    origin = typing.get_origin(hint) or hint
    if origin is dict:
        return Column(name, "jsonb", dump=Jsonb)
    if origin is tuple:
        return Column(name, "jsonb", dump=lambda value: Jsonb(list(value)), load=tuple)
    raise BrokenReadModel(f"{row.__name__}.{name}: {hint} has no column")
