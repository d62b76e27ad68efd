"""Options that several commands have."""

import uuid
from typing import Annotated

import typer

LARGEST_PORT = 65_535


def _address(text: str | None) -> str | None:
    """Check the form of `host:port`: gRPC would wait for a name that is none."""
    if text is None:
        return None
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= LARGEST_PORT:
        raise typer.BadParameter("must be HOST:PORT, for example 127.0.0.1:7003")
    return text


def _project(text: str | None) -> str | None:
    if text is not None:
        try:
            return str(uuid.UUID(text))
        except ValueError:
            raise typer.BadParameter("must be a UUID") from None
    return None


AsJson = Annotated[bool, typer.Option("--json", help="Write JSON, one object a line.")]
Service = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT", help="Ask this transcriber instead of working in this process.", callback=_address
    ),
]
Project = Annotated[
    str | None,
    typer.Option(
        metavar="UUID",
        help="With --service: the project. Until there are keys any will do; the default is a new one.",
        envvar="CORTEX_PROJECT_ID",
        callback=_project,
    ),
]
