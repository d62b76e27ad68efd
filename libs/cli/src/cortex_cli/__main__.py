"""`cortex`, or `python -m cortex_cli`: runs one command.

The exit status is 0 when it was done, 2 when it cannot be done, 130 when it was interrupted.
"""

import os
import sys

import typer
from cortex_runtime import logs

from cortex_cli.app import app
from cortex_cli.complaint import INTERRUPTED, WRONG, Complaint, complain


def process() -> int:
    """All that a process of this command does; its log is for errors that nobody else tells."""
    logs.configure("cortex", "error")
    return main()


def main(arguments: list[str] | None = None) -> int:
    """Run the command that the arguments name; the exit status."""
    try:
        status = app(arguments, prog_name="cortex", standalone_mode=False)
    except Complaint as complaint:
        complain(complaint)
        return WRONG
    except typer.TyperException as error:
        complain(Complaint(error.format_message().rstrip("."), f"see `{_command(error)} --help`"))
        return WRONG
    except SystemExit:
        return _reader_went_away()  # typer ends so when nobody reads what is written, and at no other time
    if status == INTERRUPTED:
        complain(Complaint("stopped"))
    return status if isinstance(status, int) else 0


def _command(error: typer.TyperException) -> str:
    """The command that was wrongly asked, as it is typed."""
    context = getattr(error, "ctx", None)
    return str(context.command_path) if context else "cortex"


def _reader_went_away() -> int:
    """`cortex ... | head`: nothing more is written, not even on the way out."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(process())
