"""What went wrong, as a person at a terminal is told: one line and a hint."""

import sys
from typing import Final

WRONG: Final = 2
"""Exit status: it cannot be done as it was asked for."""

INTERRUPTED: Final = 130
"""Exit status after Ctrl-C, as shells expect it."""


class Complaint(Exception):
    """Something that cannot be done.

    Args:
        what: what is wrong, in one sentence without an end.
        hint: what to do about it.
    """

    def __init__(self, what: str, hint: str = "") -> None:
        self.what = " ".join(what.split())
        self.hint = " ".join(hint.split())
        super().__init__(self.line)

    @property
    def line(self) -> str:
        """The line on standard error."""
        return f"{self.what} ({self.hint})" if self.hint else self.what


def complain(complaint: Complaint) -> None:
    """Say it on standard error."""
    sys.stderr.write(f"cortex: {complaint.line}\n")
