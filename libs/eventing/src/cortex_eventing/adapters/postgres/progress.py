"""Progress of readers that run in another replica, told by the database."""

from contextlib import aclosing
from typing import NoReturn

from cortex_eventing.adapters.postgres.checkpoint_store import PROGRESS_CHANNEL
from cortex_eventing.adapters.postgres.connections import GONE, BoundedAsyncConnection, connect_async
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
        self._rebuilds: dict[str, int] = {}

    async def run(self, report: Report) -> NoReturn:
        """Listen for ever.

        Raises:
            Unavailable: the database is away.
        """
        try:
            async with await connect_async(self._dsn, "cortex-progress") as connection:
                await connection.execute(f"LISTEN {PROGRESS_CHANNEL}")
                report.working()
                while True:
                    await self._look(connection)
                    async with aclosing(connection.notifies(timeout=LOOK_EVERY)) as notifications:
                        async for notification in notifications:
                            self._hear(notification.payload)
        except GONE as error:
            raise Unavailable("PostgreSQL") from error

    async def _look(self, connection: BoundedAsyncConnection) -> None:
        found = await connection.execute("SELECT reader, position, rebuilds FROM cortex_checkpoints")
        for reader, position, rebuilds in await found.fetchall():
            progress = self._board.of(reader)
            if self._rebuilds.get(reader) != rebuilds:
                # Its NOTIFY may have been missed; the position alone would pass for old news.
                self._rebuilds[reader] = rebuilds
                progress.thrown_away()
            progress.moved(position)

    def _hear(self, payload: str) -> None:
        reader, _, position = payload.rpartition(" ")
        progress = self._board.of(reader)
        if position == "0":
            progress.thrown_away()
        else:
            progress.moved(int(position))
