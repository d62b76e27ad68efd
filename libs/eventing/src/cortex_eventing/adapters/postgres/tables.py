"""The statements of a read model's table: load the rows of many keys, write many rows, remove many."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from psycopg import sql

from cortex_eventing.adapters.postgres.columns import Column, columns_of
from cortex_eventing.projection_ports import TableChange
from cortex_eventing.read_model import Key, ReadModel


@dataclass(frozen=True)
class Part:
    """A piece of a statement, with the arrays that it takes."""

    text: sql.Composable
    arrays: Sequence[list[Any]]


class Table:
    """The statements of one read model."""

    def __init__(self, read_model: ReadModel[Any]) -> None:
        self._model = read_model
        self._columns = columns_of(read_model.row)
        self._key = tuple(column for column in self._columns if column.name in read_model.key)
        self._key_order = tuple(read_model.key.index(column.name) for column in self._key)
        self._getters = [attrgetter(column.name) for column in self._columns]
        self._load = self._load_statement()
        self._upsert = self._upsert_statement()
        self._delete = self._delete_statement()

    def load(self, keys: Sequence[Key]) -> Part:
        """Selects the rows of some keys."""
        return Part(self._load, self._key_arrays(keys))

    def row(self, values: Sequence[Any]) -> object:
        """The row that was selected."""
        return self._model.row(
            *(
                column.load(value) if column.load is not None and value is not None else value
                for column, value in zip(self._columns, values, strict=True)
            )
        )

    def changes(self, change: TableChange) -> list[Part]:
        """Writes and removes rows, if the statement's CTE `moved` has a row."""
        parts = []
        if change.upserts:
            arrays = [
                column.dumped([get(row) for row in change.upserts])
                for column, get in zip(self._columns, self._getters, strict=True)
            ]
            parts.append(Part(self._upsert, arrays))
        if change.deletes:
            parts.append(Part(self._delete, self._key_arrays(change.deletes)))
        return parts

    def truncate(self) -> sql.Composed:
        """Empties the table."""
        return sql.SQL("TRUNCATE {}").format(self._name)

    @property
    def _name(self) -> sql.Identifier:
        return sql.Identifier(self._model.table)

    def _key_arrays(self, keys: Sequence[Key]) -> list[list[Any]]:
        return [
            column.dumped([key[index] for key in keys])
            for column, index in zip(self._key, self._key_order, strict=True)
        ]

    def _load_statement(self) -> sql.Composed:
        return sql.SQL("SELECT {} FROM {} JOIN {} USING ({})").format(
            _names(self._columns), self._name, _unnested(self._key), _names(self._key)
        )

    def _upsert_statement(self) -> sql.Composed:
        others = [column for column in self._columns if column not in self._key]
        update = sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(each.name)) for each in others)
        return sql.SQL(
            "INSERT INTO {} ({}) SELECT new.* FROM {} WHERE EXISTS (SELECT FROM moved) ON CONFLICT ({}) DO {}"
        ).format(
            self._name,
            _names(self._columns),
            _unnested(self._columns),
            _names(self._key),
            sql.SQL("UPDATE SET {}").format(update) if others else sql.SQL("NOTHING"),
        )

    def _delete_statement(self) -> sql.Composed:
        return sql.SQL("DELETE FROM {0} USING {1} WHERE {2} AND EXISTS (SELECT FROM moved)").format(
            self._name,
            _unnested(self._key),
            sql.SQL(" AND ").join(
                sql.SQL("{0}.{1} = new.{1}").format(self._name, sql.Identifier(column.name)) for column in self._key
            ),
        )


def _names(columns: Sequence[Column]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(column.name) for column in columns)


def _unnested(columns: Sequence[Column]) -> sql.Composed:
    """Several arrays as the rows of a table `new`."""
    arrays = sql.SQL(", ").join(sql.SQL("%s::{}[]").format(sql.SQL(column.sql_type)) for column in columns)
    return sql.SQL("unnest({}) AS new ({})").format(arrays, _names(columns))
