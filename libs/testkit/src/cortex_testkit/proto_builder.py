"""Protobuf messages defined in a test, so that rules about contracts can be tried on contracts that break them."""

from dataclasses import dataclass

from cortex.common.v1 import options_pb2
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from google.protobuf.message import Message


@dataclass(frozen=True)
class Field:
    """One field. `kind` is `string`, `bytes`, `int64`, or the name of a message of the same file.

    `marks` are names of field options of ours, for instance `personal`.
    """

    name: str
    kind: str = "string"
    marks: tuple[str, ...] = ()
    repeated: bool = False


@dataclass(frozen=True)
class Definition:
    """One message. `event` holds resource, entity, verb and type for one that is an event."""

    name: str
    fields: tuple[Field, ...]
    event: tuple[str, str, str, str] | None = None


def define(package: str, *definitions: Definition) -> dict[str, type[Message]]:
    """The classes of messages, by name, in a descriptor pool of their own."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    file.message_type.extend(_message(package, definition) for definition in definitions)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        definition.name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{definition.name}"))
        for definition in definitions
    }


def _message(package: str, definition: Definition) -> descriptor_pb2.DescriptorProto:
    message = descriptor_pb2.DescriptorProto(name=definition.name)
    for number, field in enumerate(definition.fields, start=1):
        message.field.append(_field(package, number, field))
    if definition.event:
        resource, entity, verb, event_type = definition.event
        option = options_pb2.EventOptions(resource=resource, entity=entity, verb=verb, type=event_type)
        message.options.Extensions[options_pb2.event].CopyFrom(option)
    return message


def _field(package: str, number: int, field: Field) -> FieldDescriptorProto:
    label = FieldDescriptorProto.LABEL_REPEATED if field.repeated else FieldDescriptorProto.LABEL_OPTIONAL
    built = FieldDescriptorProto(name=field.name, number=number, label=label)
    if field.kind in ("string", "bytes", "int64"):
        built.type = FieldDescriptorProto.Type.Value(f"TYPE_{field.kind.upper()}")
    else:
        built.type = FieldDescriptorProto.TYPE_MESSAGE
        built.type_name = f".{package}.{field.kind}"
    for mark in field.marks:
        built.options.Extensions[getattr(options_pb2, mark)] = True
    return built
