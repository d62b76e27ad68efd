"""Station 7: read models and their checkpoint in PostgreSQL, changed together in one statement."""

from collections.abc import Sequence
from typing import Any

from psycopg import sql

from cortex_eventing.adapters.postgres.checkpoint_store import PROGRESS_CHANNEL, PostgresCheckpointStore
from cortex_eventing.adapters.postgres.link import Link
from cortex_eventing.adapters.postgres.tables import Part, Table
from cortex_eventing.checkpoints import Lane, Step
from cortex_eventing.projection import Projection
from cortex_eventing.projection_ports import TableChange
from cortex_eventing.read_model import Key, ReadModel


class PostgresProjectionStore(PostgresCheckpointStore):
    """The tables and the checkpoint of one projection.

    Args:
        link: to the service's database, as its writer.
        projection: whose tables they are.
    """

    def __init__(self, link: Link, projection: Projection) -> None:
        super().__init__(link, projection.name)
        self._tables = {model: Table(model) for model in projection.read_models}

    async def rows(self, read_model: ReadModel[Any], keys: Sequence[Key]) -> dict[Key, Any]:
        """See `ProjectionStore`."""
        table = self._tables[read_model]
        part = table.load(keys)
        async with self._link.use() as connection:
            found = await connection.execute(_composed(part), list(part.arrays), binary=True)
            rows = [table.row(values) for values in await found.fetchall()]
        return {read_model.key_in(row): row for row in rows}

    async def write(self, step: Step, changes: Sequence[TableChange], settle: Lane | None = None) -> bool:
        """See `ProjectionStore`."""
        parts = [part for change in changes for part in self._tables[change.read_model].changes(change)]
        return await self._move(step, parts, settle)

    async def throw_away(self) -> None:
        """See `ProjectionStore`."""
        async with self._link.use() as connection, connection.transaction():
            # The checkpoint first: a runner that is about to write waits for it, and then finds that it has moved.
            await connection.execute(
                "UPDATE cortex_checkpoints SET position = 0, stream_sequence = 0, rebuilds = rebuilds + 1"
                " WHERE reader = %s",
                [self._reader],
            )
            await connection.execute("DELETE FROM cortex_parked_events WHERE reader = %s", [self._reader])
            for table in self._tables.values():
                await connection.execute(table.truncate())
            await connection.execute("SELECT pg_notify(%s, %s)", [PROGRESS_CHANNEL, f"{self._reader} 0"])


def _composed(part: Part) -> sql.Composed:
    return sql.Composed([part.text])
