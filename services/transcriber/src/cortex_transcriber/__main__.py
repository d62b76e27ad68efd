"""`python -m cortex_transcriber`: runs the transcriber; `--help` says what else it does."""

import sys

from cortex_runtime.command_line import CommandLine

import cortex_transcriber.one_blas_thread  # noqa: F401 - it counts only before numpy is there
from cortex_transcriber.settings import TranscriberSettings
from cortex_transcriber.wiring import TASKS, transcriber_service

COMMAND_LINE = CommandLine(
    name="transcriber",
    about="Streams of speech in, utterances out.",
    settings=TranscriberSettings,
    service=transcriber_service,
    tasks=TASKS,
)


def main() -> None:
    """The console script."""
    sys.exit(COMMAND_LINE.main())


if __name__ == "__main__":
    main()
