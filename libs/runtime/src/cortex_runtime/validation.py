"""Whether a request keeps the rules that its proto states, and those that hold for every text.

The rules of the protos are checked by protovalidate (1 to 3 microseconds a message once compiled). Two more hold for
all requests: no text holds U+0000, which PostgreSQL cannot store, and every UUID is in canonical text, lower case with
dashes, so that an id is equal to another exactly when its text is.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from protovalidate import Validator, Violation

from cortex_runtime.field_violations import FieldViolation, InvalidFields
from cortex_runtime.text_rules import text_violations

_VALIDATOR = Validator()
_MARK = "_cortex_validates_itself"

Handler = TypeVar("Handler", bound=Callable[..., Any])


def violations_of(message: Message) -> list[FieldViolation]:
    """Everything that is wrong with a message; empty when it may be handled."""
    found = [_violation(violation) for violation in _VALIDATOR.collect_violations(message)]
    return found or text_violations(message)


def require_valid(message: Message) -> None:
    """Refuse a message that breaks a rule.

    Raises:
        InvalidFields: names every field and its rule.
    """
    violations = violations_of(message)
    if violations:
        raise InvalidFields(violations)


def warm(types: Iterable[Descriptor]) -> None:
    """Compile the rules of these messages: 5 ms a type, which no caller shall wait for."""
    for descriptor in types:
        violations_of(GetMessageClass(descriptor)())


def validates_itself(handler: Handler) -> Handler:
    """Mark a handler that checks each message of its client's stream after the first one itself.

    For streams that carry several parties' messages, where one bad message must not end the stream of the others.
    """
    setattr(handler, _MARK, True)
    return handler


def does_validate_itself(handler: Callable[..., Any]) -> bool:
    """Whether a handler was marked with `validates_itself`."""
    return getattr(handler, _MARK, False)


def _violation(violation: Violation) -> FieldViolation:
    proto = violation.proto
    path = ""
    for element in proto.field.elements if proto.field is not None else ():
        path += f".{element.field_name}" if path else element.field_name
        if element.subscript is not None and element.subscript.field == "index":
            path += f"[{element.subscript.value}]"
    return FieldViolation(path, proto.message, proto.rule_id.replace(".", "_").upper())
