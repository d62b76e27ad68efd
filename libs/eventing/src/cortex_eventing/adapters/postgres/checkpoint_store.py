"""A reader's checkpoint and parked events in PostgreSQL."""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from cortex_eventing.adapters.postgres.link import Link
from cortex_eventing.adapters.postgres.tables import Part
from cortex_eventing.checkpoints import Checkpoint, Lane, ParkedEvent, Step
from cortex_eventing.projection_ports import Unstorable

PROGRESS_CHANNEL = "cortex_progress"
"""NOTIFY carries `<reader> <position>`; 0 says that the read model was thrown away."""

_MOVE = """
moved AS (
    UPDATE cortex_checkpoints SET position = %s, stream_sequence = %s
    WHERE reader = %s AND position = %s RETURNING 1
), told AS (
    SELECT pg_notify(%s, %s) FROM moved
)"""
_PARK = """
INSERT INTO cortex_parked_events (reader, position, resource, resource_id, topic, why)
SELECT %s, parked.* FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[]) AS parked
WHERE EXISTS (SELECT FROM moved) ON CONFLICT DO NOTHING"""
_PARKED = "SELECT resource, resource_id, position, topic, why FROM cortex_parked_events WHERE reader = %s "
_SETTLE = """
DELETE FROM cortex_parked_events
WHERE reader = %s AND resource = %s AND resource_id = %s AND position <= %s AND EXISTS (SELECT FROM moved)"""


class PostgresCheckpointStore:
    """The checkpoint store of one reader.

    Args:
        link: to the service's database, as its writer.
        reader: the reader's name.
    """

    def __init__(self, link: Link, reader: str) -> None:
        self._link = link
        self._reader = reader

    async def load(self) -> Checkpoint:
        """See `CheckpointStore`."""
        async with self._link.use() as connection:
            await connection.execute(
                "INSERT INTO cortex_checkpoints (reader) VALUES (%s) ON CONFLICT DO NOTHING", [self._reader]
            )
            found = await connection.execute(
                "SELECT position, stream_sequence FROM cortex_checkpoints WHERE reader = %s", [self._reader]
            )
            row = await found.fetchone()
        return Checkpoint(*row) if row else Checkpoint()

    async def parked_lanes(self) -> frozenset[Lane]:
        """See `CheckpointStore`."""
        async with self._link.use() as connection:
            found = await connection.execute(
                "SELECT DISTINCT resource, resource_id FROM cortex_parked_events WHERE reader = %s", [self._reader]
            )
            return frozenset([Lane(*row) for row in await found.fetchall()])

    async def step(self, step: Step) -> bool:
        """See `CheckpointStore`."""
        return await self._move(step, [])

    async def _move(self, step: Step, parts: Sequence[Part], settle: Lane | None = None) -> bool:
        """One statement: move the checkpoint, and if it moved, everything else."""
        pieces: list[sql.Composable] = [sql.SQL(_MOVE)]
        values: list[Any] = [
            *(step.new.position, step.new.sequence, self._reader, step.old.position),
            *(PROGRESS_CHANNEL, f"{self._reader} {step.new.position}"),
        ]
        for index, part in enumerate([*parts, *self._parking(step.parked), *self._settling(settle, step.new.position)]):
            pieces.append(sql.SQL("part{} AS ({})").format(sql.SQL(str(index)), part.text))
            values += part.arrays
        statement = sql.SQL("WITH {} SELECT (SELECT count(*) FROM moved), (SELECT count(*) FROM told)").format(
            sql.SQL(", ").join(pieces)
        )
        async with self._link.use() as connection:
            try:
                row = await (await connection.execute(statement, values, binary=True)).fetchone()
            except (psycopg.DataError, psycopg.IntegrityError) as error:
                raise Unstorable(type(error).__name__) from error
        return bool(row and row[0])

    def _parking(self, parked: Sequence[ParkedEvent]) -> list[Part]:
        if not parked:
            return []
        arrays: list[Any] = [
            self._reader,
            [event.position for event in parked],
            [event.lane.resource for event in parked],
            [event.lane.resource_id for event in parked],
            [event.topic for event in parked],
            [event.why for event in parked],
        ]
        return [Part(sql.SQL(_PARK), arrays)]

    def _settling(self, lane: Lane | None, up_to: int) -> list[Part]:
        if lane is None:
            return []
        values: list[Any] = [self._reader, lane.resource, lane.resource_id, up_to]
        return [Part(sql.SQL(_SETTLE), values)]

    async def wanted_back(self) -> Sequence[ParkedEvent]:
        """See `CheckpointStore`."""
        return await self._parked("AND wanted_back ORDER BY position", [])

    async def parked(self, limit: int) -> Sequence[ParkedEvent]:
        """See `CheckpointStore`."""
        return await self._parked("ORDER BY position LIMIT %s", [limit])

    async def _parked(self, which: str, values: list[Any]) -> Sequence[ParkedEvent]:
        statement = _PARKED + which
        async with self._link.use() as connection:
            found = await connection.execute(statement.encode(), [self._reader, *values])
            return [ParkedEvent(Lane(row[0], row[1]), *row[2:]) for row in await found.fetchall()]

    async def settle(self, lane: Lane, up_to: int) -> None:
        """See `CheckpointStore`."""
        await self._change_lane("DELETE FROM cortex_parked_events WHERE {} AND position <= %s", lane, [], [up_to])

    async def keep_parked(self, lane: Lane, position: int, why: str) -> None:
        """See `CheckpointStore`."""
        await self._change_lane(
            "UPDATE cortex_parked_events SET wanted_back = false,"
            " why = CASE position WHEN %s THEN %s ELSE why END WHERE {}",
            lane,
            [position, why],
            [],
        )

    async def replay(self, lane: Lane) -> int:
        """See `CheckpointStore`."""
        return await self._change_lane("UPDATE cortex_parked_events SET wanted_back = true WHERE {}", lane, [], [])

    async def _change_lane(self, statement: str, lane: Lane, before: list[Any], after: list[Any]) -> int:
        text = statement.replace("{}", "reader = %s AND resource = %s AND resource_id = %s")
        values = [*before, self._reader, lane.resource, lane.resource_id, *after]
        async with self._link.use() as connection:
            return (await connection.execute(text.encode(), values)).rowcount
