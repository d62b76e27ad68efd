"""A message with every field set, always to the same values: what golden files are made of."""

import uuid
from collections.abc import Callable
from typing import Any

from cortex_eventing.options import descriptor_of
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

_WELL_KNOWN: dict[str, Callable[[], Message]] = {
    "google.protobuf.Timestamp": lambda: Timestamp(seconds=1_795_000_000, nanos=123_000_000),
    "google.protobuf.Duration": lambda: Duration(nanos=20_000_000),
    "google.protobuf.Struct": lambda: _struct({"team": "red", "level": 7.0, "tags": ["a", None, True]}),
}
_SCALARS: dict[int, Any] = {
    FieldDescriptor.TYPE_BOOL: True,
    FieldDescriptor.TYPE_BYTES: b"\x00\xff",
    FieldDescriptor.TYPE_DOUBLE: 0.5,
    FieldDescriptor.TYPE_FLOAT: 0.5,
    FieldDescriptor.TYPE_INT32: 7,
    FieldDescriptor.TYPE_INT64: 7,
    FieldDescriptor.TYPE_UINT32: 7,
}


def populated(message_class: type[Message]) -> Message:
    """A message with each field set; a field that ends in `_id` holds a UUID that follows from its name.

    Raises:
        KeyError: a field is of a type that no event had before; say here what it holds.
    """
    message = message_class()
    for field in descriptor_of(message_class).fields:
        _set(message, field)
    return message


def _set(message: Message, field: FieldDescriptor) -> None:
    target = getattr(message, field.name)
    if field.is_repeated:
        target.append(_value(field))
    elif field.message_type is not None:
        target.CopyFrom(_message(field.message_type))
    else:
        setattr(message, field.name, _value(field))


def _value(field: FieldDescriptor) -> object:
    if field.message_type is not None:
        return _message(field.message_type)
    if field.enum_type is not None:
        return max(value.number for value in field.enum_type.values if value.number <= 1)
    if field.type == FieldDescriptor.TYPE_STRING:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, field.name)) if field.name.endswith("_id") else f"some {field.name}"
    return _SCALARS[field.type]


def _message(descriptor: Descriptor) -> Message:
    well_known = _WELL_KNOWN.get(descriptor.full_name)
    return well_known() if well_known else populated(message_factory.GetMessageClass(descriptor))


def _struct(values: dict[str, Any]) -> Struct:
    struct = Struct()
    struct.update(values)
    return struct
