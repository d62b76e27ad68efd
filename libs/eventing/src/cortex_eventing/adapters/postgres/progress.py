"""Progress of readers that run in another replica, told by the database."""

from contextlib import aclosing
from typing import NoReturn

from cortex_eventing.adapters.postgres.checkpoint_store import PROGRESS_CHANNEL
from cortex_eventing.adapters.postgres.link import AWAY, connect
from cortex_eventing.errors import Unavailable
from cortex_eventing.progress import ProgressBoard
from cortex_eventing.role_state import Report

LOOK_EVERY = 0.5
"""Seconds between two looks at the checkpoints, also when nothing is heard: what a lost NOTIFY costs at most."""


class PostgresProgress:
    """A role for every replica: moves the board's positions to what the checkpoints say.

    Args:
        dsn: to the service's database, as its writer.
        board: what waits and watchers stand on.
    """

    def __init__(self, dsn: str, board: ProgressBoard) -> None:
        self._dsn = dsn
        self._board = board

    async def run(self, report: Report) -> NoReturn:
        """Listen for ever.

        Raises:
            Unavailable: the database is away.
        """
        connection = await connect(self._dsn, "cortex-progress")
        async with connection:
            try:
                await connection.execute(f"LISTEN {PROGRESS_CHANNEL}".encode())
                report.working()
                while True:
                    for reader, position in await (
                        await connection.execute("SELECT reader, position FROM cortex_checkpoints")
                    ).fetchall():
                        self._board.of(reader).moved(position)
                    async with aclosing(connection.notifies(timeout=LOOK_EVERY)) as notifications:
                        async for notification in notifications:
                            self._hear(notification.payload)
            except AWAY as error:
                raise Unavailable("PostgreSQL") from error

    def _hear(self, payload: str) -> None:
        reader, _, position = payload.rpartition(" ")
        progress = self._board.of(reader)
        if position == "0":
            progress.thrown_away()
        else:
            progress.moved(int(position))
