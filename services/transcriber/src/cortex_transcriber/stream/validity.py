"""The rules that the contract states, for the messages inside a stream's messages."""

from dataclasses import replace

from cortex_runtime.field_violations import InvalidFields
from cortex_runtime.validation import violations_of
from google.protobuf.message import Message


def require_valid(message: Message, named: str) -> None:
    """Refuse a message that breaks a rule; `named` is where it stands.

    Raises:
        InvalidFields: names every field and its rule.
    """
    violations = violations_of(message)
    if violations:
        raise InvalidFields([replace(violation, field=f"{named}.{violation.field}") for violation in violations])
