"""What both kinds of soak say to the terminal, and how they end."""

import sys

OK, FAILED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130


def say(line: str) -> None:
    """Write a line, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
