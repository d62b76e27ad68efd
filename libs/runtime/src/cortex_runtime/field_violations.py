"""All that is wrong with the fields of one request, at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from cortex_eventing.errors import InvalidInput


@dataclass(frozen=True)
class FieldViolation:
    """One rule that one field breaks.

    Attributes:
        field: the path to the field, for example `participants[2].email`.
        rule: what must be so, as the end of a sentence about the field.
        reason: the rule's machine-readable name, for example `STRING_UUID`.
    """

    field: str
    rule: str
    reason: str


class InvalidFields(InvalidInput):
    """The request can never be right, and these are all the reasons."""

    def __init__(self, violations: Sequence[FieldViolation]) -> None:
        first = violations[0]
        more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
        super().__init__(f"{first.field or 'the request'} {first.rule}{more}", field=first.field)
        self.violations = tuple(violations)
