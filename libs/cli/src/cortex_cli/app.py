"""The commands of `cortex`, and what they are told."""

import uuid
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from cortex_cli import models
from cortex_cli.complaint import WRONG, Complaint
from cortex_cli.formats import Format
from cortex_cli.options import AsJson, Project, Service
from cortex_cli.ports import Hearer
from cortex_cli.running import run_to_its_end

ABOUT = """Live text from voice rooms, and text from recordings.

[bold]cortex transcribe meeting.wav[/bold] hears a recording on this machine, without any service.
"""

app = typer.Typer(
    name="cortex",
    help=ABOUT,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(models.app, name="models")


@app.callback(invoke_without_command=True)
def _cortex(
    shows_version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if shows_version:
        typer.echo(f"cortex {version('cortex-cli')}")
        raise typer.Exit


@app.command()
def transcribe(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="WAV, FLAC or Ogg Opus; mono or stereo.")],
    *,
    form: Annotated[Format, typer.Option("--format", "-f", help="What is written.")] = Format.TEXT,
    as_json: AsJson = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Write a file for each into this folder.")
    ] = None,
    service: Service = None,
    project: Project = None,
    model: Annotated[str, typer.Option(help="With --service: the model's name, see `cortex models list`.")] = "",
    language: Annotated[
        str, typer.Option(metavar="TAG", help="What is spoken, such as en or de-CH: chooses among several models.")
    ] = "",
    model_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Without --service: the model's folder, instead of CORTEX_MODEL_DIR."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Hear recordings, and write what was said.

    Without --service everything happens in this process, on this machine. A file that cannot be heard is reported and
    the others are heard all the same; the exit status is then 2.

    [dim]cortex transcribe interview.flac
    cortex transcribe --format srt talk.opus > talk.srt
    cortex transcribe --json *.wav | jq .text[/dim]
    """
    from cortex_cli.transcribe import Wanted
    from cortex_cli.transcribe import transcribe as hear_all

    wanted = Wanted(files, Format.JSON if as_json else form, output, quiet)
    hearing = _by_service(service, project, model, language) if service else _here(model_dir, language)
    if not run_to_its_end(hear_all(wanted, hearing)):
        raise typer.Exit(WRONG)


def _by_service(service: str, project: str | None, model: str, language: str) -> AbstractAsyncContextManager[Hearer]:
    from cortex_cli.by_service import hearing_by

    return hearing_by(service, project or str(uuid.uuid4()), model, language)


def _here(model_dir: Path | None, language: str) -> AbstractAsyncContextManager[Hearer]:
    try:
        from cortex_cli.local.hearing import hearing_here
    except ModuleNotFoundError as error:
        raise Complaint(
            "the transcriber is not installed here", "install cortex-cli[local], or name a service with --service"
        ) from error
    return hearing_here(model_dir, language)
