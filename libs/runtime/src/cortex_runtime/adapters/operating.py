"""What an operator does to a running service: look at what was set aside, try it again, have a stream filled anew."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic

from cortex_eventing.adapters.nats.connection import connected_now
from cortex_eventing.adapters.nats.stream import count_messages, delete_stream
from cortex_eventing.adapters.postgres.checkpoint_store import PostgresCheckpointStore
from cortex_eventing.adapters.postgres.link import linked
from cortex_eventing.checkpoints import Lane, ParkedEvent
from cortex_eventing.errors import NotFound

from cortex_runtime.command_line import Task
from cortex_runtime.failures import CannotStart
from cortex_runtime.process import Settings
from cortex_runtime.settings import ServiceSettings

MOST_SHOWN = 1_000
"""Parked events of one reader in the table: what a person can look through, and what memory never minds."""

HEADING = ("READER", "LANE", "POSITION", "TYPE", "REASON")


@dataclass(frozen=True)
class Operating(Generic[Settings]):
    """The operator's commands of one service.

    Attributes:
        stream: the service's own.
        readers: its projections and reactions, by the names of their checkpoints.
    """

    stream: str
    readers: Sequence[str]

    @property
    def tasks(self) -> Mapping[str, Task[Settings]]:
        """`parked`, `replay` and `refill-stream`."""
        return {
            "parked": Task("show the events that readers set aside", self._parked),
            "replay": Task("have parked events dealt with again: a lane, or --all", self._replay, self._ask_lane),
            "refill-stream": Task(
                f"delete the stream {self.stream}; the running service fills it again from the store",
                self._refill,
                _ask_yes,
            ),
        }

    def _ask_lane(self, parser: ArgumentParser) -> None:
        parser.add_argument("reader", nargs="?", choices=list(self.readers), help="as `parked` shows it")
        parser.add_argument("lane", nargs="?", help="as `parked` shows it: resource/id")
        parser.add_argument("--all", action="store_true", help="every lane of the reader, or of all readers")

    async def _parked(self, settings: ServiceSettings, _arguments: Namespace) -> str:
        rows: list[Sequence[str]] = []
        cut = False
        async with linked(settings.postgres.access.writer_dsn, "cortex-operator") as link:
            for reader in self.readers:
                found = await PostgresCheckpointStore(link, reader).parked(MOST_SHOWN + 1)
                cut = cut or len(found) > MOST_SHOWN
                rows += [_row(reader, event) for event in found[:MOST_SHOWN]]
        if not rows:
            return "nothing is parked"
        return _table([HEADING, *rows]) + (f"\nand more: {MOST_SHOWN} of each reader are shown" if cut else "")

    async def _replay(self, settings: ServiceSettings, arguments: Namespace) -> str:
        readers = [arguments.reader] if arguments.reader else self.readers
        wanted = _lane(arguments)
        events = lanes = 0
        async with linked(settings.postgres.access.writer_dsn, "cortex-operator") as link:
            for reader in readers:
                store = PostgresCheckpointStore(link, reader)
                for lane in sorted(await store.parked_lanes()) if wanted is None else [wanted]:
                    events += await store.replay(lane)
                    lanes += 1
        if wanted is not None and not events:
            raise NotFound("parked lane")
        return (
            f"asked for {events} events of {lanes} lanes; the running service deals with them, `parked` shows the rest"
        )

    async def _refill(self, settings: ServiceSettings, arguments: Namespace) -> str:
        if not settings.nats.manage_streams:
            raise CannotStart(
                "the service may not make its stream (CORTEX_NATS_MANAGE_STREAMS): whoever may must do it"
            )
        async with connected_now(settings.nats.url, "cortex-operator") as nats:
            count = await count_messages(nats, self.stream)
            if not arguments.yes:
                raise CannotStart(
                    f"nothing is done yet: the stream {self.stream} with {count} messages would be deleted, and filled "
                    "again from the store's first event; if that is what you want, say --yes"
                )
            await delete_stream(nats, self.stream)
        return f"the stream {self.stream} with {count} messages is deleted; the running service fills it from the store"


def _ask_yes(parser: ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="really delete it")


def _lane(arguments: Namespace) -> Lane | None:
    """The lane that is meant; None for all."""
    if arguments.all and not arguments.lane:
        return None
    resource, slash, resource_id = (arguments.lane or "").partition("/")
    if arguments.all or not slash:
        raise CannotStart("say a reader and a lane as `parked` shows them, or --all")
    return Lane(resource, resource_id)


def _row(reader: str, event: ParkedEvent) -> Sequence[str]:
    return reader, "/".join(event.lane), str(event.position), event.topic, event.why


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as what stands in them."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)
