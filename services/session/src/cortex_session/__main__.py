"""`python -m cortex_session`: runs session; `--help` says what else it does."""

import sys

from cortex_runtime.command_line import CommandLine

from cortex_session.settings import SessionSettings
from cortex_session.wiring import TASKS, session_service

COMMAND_LINE = CommandLine(
    name="session",
    about="Transcription sessions of voice rooms: messages, attendance.",
    settings=SessionSettings,
    service=session_service,
    tasks=TASKS,
)


def main() -> None:
    """The console script."""
    sys.exit(COMMAND_LINE.main())


if __name__ == "__main__":
    main()
