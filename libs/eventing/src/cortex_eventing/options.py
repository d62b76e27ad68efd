"""What the options on a contract's messages and fields say."""

from typing import cast

from cortex.common.v1 import options_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message


def descriptor_of(message_class: type[Message]) -> Descriptor:
    """The descriptor of a generated class, under the one type that both of protobuf's implementations share."""
    return cast("Descriptor", message_class.DESCRIPTOR)


def event_options(descriptor: Descriptor) -> options_pb2.EventOptions:
    """The event option of a message, empty when it has none."""
    return descriptor.GetOptions().Extensions[options_pb2.event]


def is_event(descriptor: Descriptor) -> bool:
    """Whether a message is marked as a domain event."""
    return descriptor.GetOptions().HasExtension(options_pb2.event)


def is_personal(field: FieldDescriptor) -> bool:
    """Whether a field holds personal data."""
    return field.GetOptions().Extensions[options_pb2.personal]


def is_private(field: FieldDescriptor) -> bool:
    """Whether a field never leaves the service that stored it."""
    return field.GetOptions().Extensions[options_pb2.private]


def is_resource_id(field: FieldDescriptor) -> bool:
    """Whether a field holds the id of the resource that the event is about."""
    return field.GetOptions().Extensions[options_pb2.resource_id]


def is_data_owner(field: FieldDescriptor) -> bool:
    """Whether a field holds the id of the participant whose data the event holds."""
    return field.GetOptions().Extensions[options_pb2.data_owner]
