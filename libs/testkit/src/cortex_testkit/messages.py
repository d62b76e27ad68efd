"""Any value of a protobuf message, for property tests."""

from typing import Any

from cortex_eventing.options import descriptor_of
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Property tests judge what the code says, not how fast a shared machine says it."""

_DEPTH = 3
"""Messages that hold themselves end here."""

_SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_STRING: st.text(max_size=5),
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=5),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_FLOAT: st.floats(width=32, allow_nan=False),
    FieldDescriptor.TYPE_DOUBLE: st.floats(allow_nan=False),
}


@st.composite
def messages(draw: st.DrawFn, message_class: type[Message], depth: int = _DEPTH) -> Message:
    """Any value of a message, with each field there or not. Maps and fields of well-known types stay empty."""
    message = message_class()
    for field in descriptor_of(message_class).fields:
        if draw(st.booleans()):
            _fill(draw, message, field, depth)
    return message


def _fill(draw: st.DrawFn, message: Message, field: FieldDescriptor, depth: int) -> None:
    if field.message_type is not None:
        _fill_message(draw, message, field, field.message_type, depth)
    elif field.is_repeated:
        getattr(message, field.name).extend(draw(st.lists(_scalar(field), max_size=3)))
    else:
        setattr(message, field.name, draw(_scalar(field)))


def _fill_message(
    draw: st.DrawFn, message: Message, field: FieldDescriptor, descriptor: Descriptor, depth: int
) -> None:
    if descriptor.GetOptions().map_entry:
        return
    inner_class = message_factory.GetMessageClass(descriptor)
    if field.is_repeated:
        getattr(message, field.name).extend(draw(st.lists(messages(inner_class, depth - 1), max_size=2)))
    elif depth > 0:
        target = getattr(message, field.name)
        target.SetInParent()
        target.MergeFrom(draw(messages(inner_class, depth - 1)))


def _scalar(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if field.enum_type is not None:
        return st.sampled_from([value.number for value in field.enum_type.values])
    return _SCALARS[field.type]
