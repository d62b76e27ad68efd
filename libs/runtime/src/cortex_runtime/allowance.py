"""What one method may take that others may not: larger requests, more time."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Allowance:
    """The bounds of a method whose requests are unusually large, or unusually long in the answering.

    Attributes:
        largest_request: bytes.
        default_deadline: seconds, for callers that name none.
        longest_deadline: seconds, whatever the caller names.
    """

    largest_request: int
    default_deadline: float
    longest_deadline: float


Allowances = Mapping[str, Allowance]
"""By the method's own name, for example `Recognize`."""
