"""Shows on standard error how far a file was heard, where somebody watches a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cortex_cli.ports import Told


@contextmanager
def shown(name: str, *, quiet: bool) -> Iterator[Told]:
    """A bar for one file; nothing at all without a terminal."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _heard, _whole: None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[heard]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(name, total=None, heard="")

        def told(heard: float, whole: float | None) -> None:
            progress.update(task, completed=heard, total=whole, heard=_length(heard) if heard else "")

        yield told


def _length(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02} heard"
