"""Rules that hold for every text of every request: no U+0000, and UUIDs in canonical text.

A message without a zero byte in its serialized form holds no U+0000 either, which settles nearly every request in half
a microsecond. UUIDs are found by the rule `string.uuid` of their fields.
"""

from collections.abc import Iterator
from functools import cache

from buf.validate import validate_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from cortex_runtime.field_violations import FieldViolation

_NUL = FieldViolation("", "must not contain the character U+0000", "TEXT_NUL")
_CANONICAL = FieldViolation("", "must be a UUID in canonical text: lower case, with dashes", "UUID_CANONICAL")


def text_violations(message: Message) -> list[FieldViolation]:
    """What is wrong with the texts of a message that keeps the rules of its proto."""
    found = [_at(path, _CANONICAL) for path, text in _uuids(message) if text != text.lower()]
    if b"\0" in message.SerializePartialToString():
        found += [_at(path, _NUL) for path, text in _texts(message) if "\0" in text]
    return found


def _at(path: str, violation: FieldViolation) -> FieldViolation:
    return FieldViolation(path, violation.rule, violation.reason)


def _uuids(message: Message, prefix: str = "") -> Iterator[tuple[str, str]]:
    for field in _fields_with_uuids(message.DESCRIPTOR):
        path = prefix + field.name
        for at, value in _values(message, field, path):
            if isinstance(value, str):
                yield at, value
            elif isinstance(value, Message):
                yield from _uuids(value, f"{at}.")


def _values(message: Message, field: FieldDescriptor, path: str) -> Iterator[tuple[str, object]]:
    if field.is_repeated:
        for index, value in enumerate(getattr(message, field.name)):
            yield f"{path}[{index}]", value
    elif field.message_type is None or message.HasField(field.name):
        yield path, getattr(message, field.name)


@cache
def _fields_with_uuids(descriptor: Descriptor) -> tuple[FieldDescriptor, ...]:
    """The fields of a message that hold UUIDs, or messages that do."""
    return tuple(field for field in descriptor.fields if _is_uuid(field) or _holds_uuids(field))


def _is_uuid(field: FieldDescriptor) -> bool:
    rules = field.GetOptions().Extensions[validate_pb2.field]
    return bool((rules.repeated.items if field.is_repeated else rules).string.uuid)


def _holds_uuids(field: FieldDescriptor) -> bool:
    inner = field.message_type
    if inner is None or _is_map(field) or inner.file.package.startswith("google."):
        return False
    return bool(_fields_with_uuids(inner))


def _texts(message: Message, prefix: str = "") -> Iterator[tuple[str, str]]:
    for field, value in message.ListFields():
        yield from _texts_of(field, value, prefix + field.name)


def _texts_of(field: FieldDescriptor, value: object, path: str) -> Iterator[tuple[str, str]]:
    if _is_map(field):
        yield from _texts_of_map(value, path)
    elif field.is_repeated:
        for index, item in enumerate(value):  # type: ignore[var-annotated, arg-type]
            yield from _texts_of_one(item, f"{path}[{index}]")
    else:
        yield from _texts_of_one(value, path)


def _texts_of_one(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Message):
        yield from _texts(value, path + ".")


def _texts_of_map(entries: object, path: str) -> Iterator[tuple[str, str]]:
    """The texts of a map, all under the map's own path: a key may be somebody's name."""
    for key, value in entries.items():  # type: ignore[attr-defined]
        for _, text in (*_texts_of_one(key, path), *_texts_of_one(value, path)):
            yield path, text


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry
