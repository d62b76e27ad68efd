"""`python -m cortex_<service> [command]`: runs the service, or does one thing and ends."""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic

from cortex_eventing.errors import CortexError

from cortex_runtime import logs
from cortex_runtime.failures import CannotStart
from cortex_runtime.process import CANNOT_START, FAILED, STOPPED, Service, Settings, run
from cortex_runtime.settings import SettingsError, load
from cortex_runtime.settings_table import Variable, variables


def no_arguments(parser: ArgumentParser) -> None:
    """A command that takes none."""


@dataclass(frozen=True)
class Task(Generic[Settings]):
    """Something that the command line does beside running the service.

    Attributes:
        help: what, for `--help`.
        run: does it; the answer is for the operator, one line or a table.
        declare: names the arguments that it takes.
    """

    help: str
    run: Callable[[Settings, Namespace], Awaitable[str]]
    declare: Callable[[ArgumentParser], None] = no_arguments


@dataclass(frozen=True)
class CommandLine(Generic[Settings]):
    """A service's command line.

    Attributes:
        name: the service, for example `session`.
        about: one line for `--help`.
        settings: what it reads from the environment.
        service: its composition root.
        tasks: what else it can do, by command.
    """

    name: str
    about: str
    settings: type[Settings]
    service: Service[Settings]
    tasks: Mapping[str, Task[Settings]]

    def main(self, arguments: Sequence[str] | None = None) -> int:
        """Do what the arguments say; the exit status: 0 done, 1 failed, 2 cannot start as it was set up."""
        asked = self._parser().parse_args(arguments)
        if asked.command == "settings":
            sys.stdout.writelines(f"{_told(variable)}\n" for variable in variables(self.settings))
            return STOPPED
        if asked.command in self.tasks:
            return self._do(self.tasks[asked.command], asked)
        return run(f"cortex-{self.name}", self.settings, self.service)

    def _parser(self) -> ArgumentParser:
        parser = ArgumentParser(
            prog=f"python -m cortex_{self.name}",
            description=self.about,
            epilog="Settings: CORTEX_* variables, see `settings`.",
        )
        commands = parser.add_subparsers(dest="command", metavar="command")
        commands.add_parser("serve", help="run the service until it is asked to stop (the default)")
        commands.add_parser("settings", help="list the variables that it reads from the environment")
        for name, task in self.tasks.items():
            task.declare(commands.add_parser(name, help=task.help))
        return parser

    def _do(self, task: Task[Settings], asked: Namespace) -> int:
        try:
            settings = load(self.settings)
            logs.configure(f"cortex-{self.name}", settings.log.level)
            sys.stdout.write(f"{asyncio.run(self._answer(task, settings, asked))}\n")
        except SettingsError as error:
            return _refuse(CANNOT_START, *(f"{problem.variable} {problem.rule}" for problem in error.problems))
        except CannotStart as error:
            return _refuse(CANNOT_START, str(error))
        except CortexError as error:
            return _refuse(FAILED, str(error))
        return STOPPED

    async def _answer(self, task: Task[Settings], settings: Settings, asked: Namespace) -> str:
        return await task.run(settings, asked)


def _told(variable: Variable) -> str:
    default = "must be set" if variable.default is None else f"default: {variable.default}"
    return f"{variable.name} ({variable.rule}; {default})\n    {variable.meaning}"


def _refuse(status: int, *lines: str) -> int:
    for line in lines:
        sys.stderr.write(f"{line}\n")
    return status
