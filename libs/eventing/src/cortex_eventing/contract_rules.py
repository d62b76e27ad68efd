"""What the options on events must obey for subjects, splitting and streams to work; a catalogue checks it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from cortex_eventing.options import (
    descriptor_of,
    event_options,
    is_data_owner,
    is_event,
    is_personal,
    is_private,
    is_resource_id,
)
from cortex_eventing.subjects import TOKEN


class BrokenContract(ValueError):
    """Events are marked in a way that cannot work: a defect in a proto file."""


def violations(events: Iterable[type[Message]]) -> list[str]:
    """What is wrong with these events, of one service or of several, one sentence each; empty when all is well."""
    descriptors = [descriptor_of(event) for event in events]
    found = [f"{event.full_name}: {rule}" for event in descriptors for rule in _violations_of(event)]
    return found + list(_shared_entities(descriptors)) + list(_repeated_names(descriptors))


def _violations_of(event: Descriptor) -> Iterator[str]:
    if not is_event(event):
        yield "has no event option"
        return
    yield from _bad_names(event)
    yield from _bad_ids(event)
    yield from _misplaced_marks(event)


def _bad_names(event: Descriptor) -> Iterator[str]:
    options = event_options(event)
    for name in ("resource", "entity", "verb"):
        if not TOKEN.fullmatch(getattr(options, name)):
            yield f"{name} must be one token of a subject: letters, digits, `_` and `-`"
    if not options.type:
        yield "has no type"


def _bad_ids(event: Descriptor) -> Iterator[str]:
    resource_ids = [field for field in event.fields if is_resource_id(field)]
    owners = [field for field in event.fields if is_data_owner(field)]
    if len(resource_ids) != 1:
        yield "must mark exactly one field as resource_id"
    if len(owners) > 1:
        yield "may mark only one field as data_owner"
    if not owners and any(is_personal(field) for field in _reached(event)):
        yield "holds personal data but marks no data_owner"
    for field in (*resource_ids, *owners):
        if field.type != FieldDescriptor.TYPE_STRING or field.is_repeated:
            yield f"{field.name} must be a single string, as it names an id"
        if is_personal(field) or is_private(field):
            yield f"{field.name} names an id and can be neither personal nor private"


def _misplaced_marks(event: Descriptor) -> Iterator[str]:
    for field in _reached(event):
        inside = list(_reached(field.message_type)) if field.message_type else []
        if is_personal(field) and is_private(field):
            yield f"{field.full_name} is personal and private at once"
        if is_personal(field) and any(map(is_private, inside)):
            yield f"{field.full_name} is personal and has a private field in it"
        if field.is_repeated and not _is_marked(field):
            for inner in filter(_is_marked, inside):
                yield f"{inner.full_name} is marked but reached through repeated {field.full_name}"


def _is_marked(field: FieldDescriptor) -> bool:
    return is_personal(field) or is_private(field)


def _reached(root: Descriptor) -> Iterator[FieldDescriptor]:
    """Every field of a message and of the messages in it, repeated and map values too, each message type once."""
    seen = {root.full_name}
    waiting = [root]
    while waiting:
        for field in waiting.pop().fields:
            yield field
            if field.message_type and field.message_type.full_name not in seen:
                seen.add(field.message_type.full_name)
                waiting.append(field.message_type)


def _shared_entities(events: Iterable[Descriptor]) -> Iterator[str]:
    owners = defaultdict(set)
    for event in events:
        owners[event_options(event).entity].add(event.file.package)
    for entity, packages in sorted(owners.items()):
        if len(packages) > 1:
            yield f"entity {entity} belongs to several services: {', '.join(sorted(packages))}"


def _repeated_names(events: Iterable[Descriptor]) -> Iterator[str]:
    seen: dict[tuple[str, ...], str] = {}
    for event in events:
        options = event_options(event)
        for name in (("type", options.type), ("entity and verb", options.entity, options.verb)):
            other = seen.setdefault(name, event.full_name)
            if other != event.full_name:
                yield f"{event.full_name} has the {name[0]} of {other}"
