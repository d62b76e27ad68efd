"""`cortex models list | fetch NAME | check DIR`."""

import json
import sys
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from cortex_cli.complaint import Complaint
from cortex_cli.options import AsJson, Project, Service
from cortex_cli.running import run_to_its_end

if TYPE_CHECKING:
    from cortex_cli.local.models import Installed

MIB: Final = 1 << 20
WIDTH: Final = 240
"""Columns of a table that goes to a file or a pipe: paths stay on their line."""

Row = Mapping[str, str | int]

app = typer.Typer(help="Speech models: what there is, getting one, and whether one is whole.", no_args_is_help=True)

Folder = Annotated[
    Path | None,
    typer.Option(
        "--into",
        metavar="DIR",
        help="The folder of models, instead of CORTEX_MODELS_DIR or the one of the installation.",
    ),
]


@app.command("list")
def list_models(as_json: AsJson = False, service: Service = None, project: Project = None) -> None:
    """List the models on this machine, or with --service those that a transcriber has loaded."""
    rows = run_to_its_end(_loaded(service, project)) if service else _on_this_machine()
    if not rows and not as_json:
        raise Complaint("there is no model here", "`make setup` puts the shipped one in its place")
    _show(rows, as_json=as_json)


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="For example nemo-parakeet-tdt-0.6b-v3.")],
    into: Folder = None,
    quantization: Annotated[str, typer.Option(help="Suffix of the files to take, such as int8.")] = "",
    as_json: AsJson = False,
) -> None:
    """Download a model that onnx-asr knows by name, and write its manifest."""
    from cortex_cli.local.models import get, models_folder

    made = get(name, models_folder(into), quantization)
    if as_json:
        _show([_row(made)], as_json=True)
    else:
        typer.echo(f"{made.manifest.name} is in {made.directory}; CORTEX_MODEL_DIR={made.directory} chooses it")


@app.command()
def check(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A model's folder.")], as_json: AsJson = False
) -> None:
    """See whether a model is whole: every file has its sha256, and none lies outside the folder."""
    from cortex_cli.local.models import check as verified

    found = verified(directory)
    if as_json:
        _show([{**_row(found), "files": len(found.manifest.files), "whole": True}], as_json=True)
    else:
        typer.echo(f"{found.manifest.name} is whole: {len(found.manifest.files)} files, {_size(found.size)}")


async def _loaded(service: str, project: str | None) -> list[Row]:
    from cortex_cli.by_service import connected

    async with connected(service, project or str(uuid.uuid4())) as client:
        return [
            {
                "name": model.name,
                "language": model.language,
                "family": model.family,
                "sample_rate": model.sample_rate,
            }
            async for model in client.list_models()
        ]


def _on_this_machine() -> list[Row]:
    from cortex_cli.local.models import installed, models_folder

    return [_row(model) for model in installed(models_folder())]


def _row(model: "Installed") -> dict[str, str | int | bool]:
    return {
        "name": model.manifest.name,
        "language": model.manifest.language,
        "family": model.manifest.family,
        "bytes": model.size,
        "directory": str(model.directory),
    }


def _show(rows: Iterable[Row], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
        return
    rows = list(rows)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in rows[0]:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_size(int(value)) if key == "bytes" else str(value) for key, value in row.items()))
    Console(width=None if sys.stdout.isatty() else WIDTH).print(table)


def _size(size: int) -> str:
    return f"{size / MIB:.1f} MiB"
