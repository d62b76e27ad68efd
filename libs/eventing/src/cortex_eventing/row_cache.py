"""The rows that a projection folded last, so that the next page need not load them."""

from collections.abc import Sequence
from typing import Any

from cortex_eventing.folding import Concern
from cortex_eventing.projection_ports import ProjectionStore
from cortex_eventing.read_model import Key, ReadModel

MOST_ROWS = 20_000
"""Rows kept per table; some tens of megabytes at worst. Beyond it all are forgotten, which costs one query."""


class RowCache:
    """Rows as they stand in the tables.

    It may be believed because only the projection writes to its tables, and every write is on condition of the
    checkpoint: whoever overtakes us makes our next write fail, and then everything is forgotten.
    """

    def __init__(self, read_models: Sequence[ReadModel[Any]], store: ProjectionStore) -> None:
        self._store = store
        self._rows: dict[ReadModel[Any], dict[Key, Any]] = {model: {} for model in read_models}

    def forget(self) -> None:
        """Believe nothing."""
        for rows in self._rows.values():
            rows.clear()

    async def rows_for(self, concerns: Sequence[Concern]) -> dict[ReadModel[Any], dict[Key, Any]]:
        """The rows of every key that is concerned, None where there is none. What is folded into them stays here."""
        for model, rows in self._rows.items():
            if len(rows) > MOST_ROWS:
                rows.clear()
            # Not a difference of sets: taking away a dictionary's keys walks over all of them.
            keys = {concern.key for concern in concerns if concern.read_model is model}
            missing = [key for key in keys if key not in rows]
            if missing:
                found = await self._store.rows(model, missing)
                rows.update((key, found.get(key)) for key in missing)
        return self._rows
