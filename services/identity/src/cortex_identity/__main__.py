"""`python -m cortex_identity`: runs identity; `--help` says what else it does."""

import sys

from cortex_runtime.command_line import CommandLine

from cortex_identity.settings import IdentitySettings
from cortex_identity.wiring import TASKS, identity_service

COMMAND_LINE = CommandLine(
    name="identity",
    about="Who speaks: participants of a project, and the peers that resolve to them.",
    settings=IdentitySettings,
    service=identity_service,
    tasks=TASKS,
)


def main() -> None:
    """The console script."""
    sys.exit(COMMAND_LINE.main())


if __name__ == "__main__":
    main()
