"""Station 3: an event taken apart by how far each of its fields may travel.

Opening is concatenation: protobuf parses the bytes of two messages of one type, one after the other, as both merged.
Merging appends repeated fields, so marked fields are reached through singular messages only (`contract_rules`).
"""

from dataclasses import dataclass
from enum import Enum
from functools import cache

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from cortex_eventing.options import is_personal, is_private


class Care(Enum):
    """What splitting does with a field."""

    SEAL = "seal"
    HIDE = "hide"
    DESCEND = "descend"


@dataclass(frozen=True)
class Split:
    """Three serialized messages of one type that merge to the whole.

    Attributes:
        payload: what is neither personal nor private.
        sealed: the personal fields alone, empty when there are none.
        private: the private fields alone, empty when there are none.
    """

    payload: bytes
    sealed: bytes
    private: bytes


def split(message: Message) -> Split:
    """Take a message apart. The message itself is left as it is."""
    if not care(message.DESCRIPTOR):
        return Split(message.SerializeToString(), b"", b"")
    payload, sealed, private = type(message)(), type(message)(), type(message)()
    payload.CopyFrom(message)
    _move_marked(payload, sealed, private)
    return Split(payload.SerializeToString(), sealed.SerializeToString(), private.SerializeToString())


def _move_marked(source: Message, sealed: Message, private: Message) -> None:
    """Move the marked fields of `source`, and of the singular messages in it, to where they belong."""
    plan = care(source.DESCRIPTOR)
    for field, value in source.ListFields():
        match plan.get(field.name):
            case Care.SEAL:
                _move(field, source, sealed)
            case Care.HIDE:
                _move(field, source, private)
            case Care.DESCEND:
                _descend(field, value, sealed, private)


def _move(field: FieldDescriptor, source: Message, target: Message) -> None:
    value = getattr(source, field.name)
    if field.is_repeated:
        getattr(target, field.name).MergeFrom(value)
    elif field.message_type is not None:
        getattr(target, field.name).CopyFrom(value)
    else:
        setattr(target, field.name, value)
    source.ClearField(field.name)


def _descend(field: FieldDescriptor, value: Message, sealed: Message, private: Message) -> None:
    """Split a sub-message; the parts get it only where something is in it, so that emptiness stays visible."""
    inner_sealed, inner_private = type(value)(), type(value)()
    _move_marked(value, inner_sealed, inner_private)
    for part, inner in ((sealed, inner_sealed), (private, inner_private)):
        if inner.ByteSize():
            getattr(part, field.name).CopyFrom(inner)


@cache
def care(descriptor: Descriptor) -> dict[str, Care]:
    """What splitting does with each field of a message; fields that it leaves alone are absent."""
    plan = {}
    for field in descriptor.fields:
        if is_personal(field):
            plan[field.name] = Care.SEAL
        elif is_private(field):
            plan[field.name] = Care.HIDE
        elif _marked_in(field, frozenset()):
            plan[field.name] = Care.DESCEND
    return plan


def _marked_in(field: FieldDescriptor, above: frozenset[str]) -> bool:
    """Whether a marked field is reachable through a singular message."""
    return field.message_type is not None and not field.is_repeated and _marked_below(field.message_type, above)


def _marked_below(descriptor: Descriptor, above: frozenset[str]) -> bool:
    """Whether a marked field is reachable; `above` ends the recursion of types that hold themselves."""
    if descriptor.full_name in above:
        return False
    above |= {descriptor.full_name}
    return any(is_personal(field) or is_private(field) or _marked_in(field, above) for field in descriptor.fields)
