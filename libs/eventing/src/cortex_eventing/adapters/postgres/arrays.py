"""Arrays as parameters, each of one fixed type.

psycopg chooses a list's type by what is in it: small numbers, big ones, nothing at all. Each choice would be another
statement to prepare, with a round trip of its own. These are always of the type that they are named after.
"""

import struct
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from psycopg import AsyncConnection, Connection
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.postgres import types
from psycopg.pq import Format

_HEADER = struct.Struct("!iiIii")
"""Dimensions, whether there are nulls, the elements' type, their number, the first one's index."""
_EMPTY_HEADER = struct.Struct("!iiI")
_LENGTH = struct.Struct("!i")
_NULL = _LENGTH.pack(-1)

Column = list[Any]


class Texts(Column):
    """`text[]`."""


class Uuids(Column):
    """`uuid[]`."""


class Bigints(Column):
    """`bigint[]`."""


class Ints(Column):
    """`int[]`."""


class Booleans(Column):
    """`boolean[]`."""


class Byteas(Column):
    """`bytea[]`."""


def _text(value: str) -> bytes:
    return value.encode()


def _uuid(value: uuid.UUID) -> bytes:
    return value.bytes


def _bytea(value: bytes) -> bytes:
    return value


def _boolean(value: bool) -> bytes:
    return b"\x01" if value else b"\x00"


_KINDS: dict[type[Column], tuple[str, Callable[[Any], bytes]]] = {
    Texts: ("text", _text),
    Uuids: ("uuid", _uuid),
    Bigints: ("int8", struct.Struct("!q").pack),
    Ints: ("int4", struct.Struct("!i").pack),
    Booleans: ("bool", _boolean),
    Byteas: ("bytea", _bytea),
}


def binary_array(values: Iterable[Any], element_oid: int, encode: Callable[[Any], bytes]) -> bytes:
    """PostgreSQL's binary form of an array with one dimension."""
    elements = []
    nulls = 0
    for value in values:
        if value is None:
            elements.append(_NULL)
            nulls = 1
        else:
            encoded = encode(value)
            elements.append(_LENGTH.pack(len(encoded)) + encoded)
    if not elements:
        return _EMPTY_HEADER.pack(0, 0, element_oid)
    return _HEADER.pack(1, nulls, element_oid, len(elements), 1) + b"".join(elements)


def register_arrays(connection: Connection[Any] | AsyncConnection[Any]) -> None:
    """Let a connection take these arrays as parameters, in binary."""
    for kind, (type_name, encode) in _KINDS.items():
        connection.adapters.register_dumper(kind, _dumper(type_name, encode))


def _dumper(type_name: str, encode: Callable[[Any], bytes]) -> type[Dumper]:
    info = types[type_name]

    class ArrayDumper(Dumper):
        """Writes arrays of one type."""

        format = Format.BINARY
        oid = info.array_oid

        def dump(self, obj: Column) -> Buffer:
            return binary_array(obj, info.oid, encode)

    return ArrayDumper
