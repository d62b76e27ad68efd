"""Requests that nobody in their right mind would send, made from the descriptors of our protos."""

from collections.abc import Callable, Sequence
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

DEEPEST = 3  # messages within messages; the rules of our protos look no further
MOST_ITEMS = 3  # of a repeated field or map; limits on counts have tests of their own

CANONICAL = "01980a8f-0000-7000-8000-00000000000a"
TEXTS = (
    "",
    CANONICAL,
    CANONICAL.upper(),
    "{" + CANONICAL + "}",
    "\0",
    "a\0b",
    "ada@example.org",
    "https://example.org/room",
    '"v1"',
    "é",
    "\u202e\ufeff\U0001f3a4",
    "x" * 300,
    "%s%n{0}",
    "'; DROP TABLE events; --",
)
_SCALARS: dict[int, Callable[[], st.SearchStrategy[Any]]] = {
    FieldDescriptor.CPPTYPE_INT32: lambda: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: lambda: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: lambda: st.integers(0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: lambda: st.integers(0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_FLOAT: lambda: st.floats(width=32),
    FieldDescriptor.CPPTYPE_DOUBLE: st.floats,
    FieldDescriptor.CPPTYPE_BOOL: st.booleans,
    FieldDescriptor.CPPTYPE_ENUM: lambda: st.integers(-2, 10),
}


def messages(descriptor: Descriptor, levels: int = DEEPEST) -> st.SearchStrategy[Message]:
    """Messages of a type with any of its fields set to anything that can be sent."""
    fields = [_field(field, levels) for field in descriptor.fields if levels or field.message_type is None]
    return st.lists(st.one_of(fields) if fields else st.nothing(), max_size=len(fields)).map(
        lambda settings: _filled(descriptor, settings)
    )


def spoiled(valid: Message) -> st.SearchStrategy[Message]:
    """A valid message with one field overwritten by anything: what gets past the other rules and on."""
    return st.one_of([_field(field, DEEPEST) for field in valid.DESCRIPTOR.fields]).map(
        lambda setting: _overwritten(valid, *setting)
    )


def _field(field: Any, levels: int) -> st.SearchStrategy[tuple[str, Any]]:  # noqa: ANN401 - descriptors of either implementation
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        key, value = field.message_type.fields
        content: st.SearchStrategy[Any] = st.dictionaries(_one(key, 0), _one(value, levels - 1), max_size=MOST_ITEMS)
    elif field.is_repeated:
        content = st.lists(_one(field, levels - 1), max_size=MOST_ITEMS)
    else:
        content = _one(field, levels - 1)
    return st.tuples(st.just(field.name), content)


def _one(field: FieldDescriptor, levels: int) -> st.SearchStrategy[Any]:
    if field.message_type is not None:
        return messages(field.message_type, max(levels, 0))
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return st.binary(max_size=64) if field.type == FieldDescriptor.TYPE_BYTES else _texts()
    return _SCALARS[field.cpp_type]()


def _texts() -> st.SearchStrategy[str]:
    return st.sampled_from(TEXTS) | st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def _filled(descriptor: Descriptor, settings: Sequence[tuple[str, Any]]) -> Message:
    message = GetMessageClass(descriptor)()
    for name, value in settings:
        message.ClearField(name)
        message.MergeFrom(GetMessageClass(descriptor)(**{name: value}))
    return message


def _overwritten(valid: Message, name: str, value: object) -> Message:
    kept = type(valid)()
    kept.CopyFrom(valid)
    kept.ClearField(name)
    kept.MergeFrom(type(valid)(**{name: value}))
    return kept
