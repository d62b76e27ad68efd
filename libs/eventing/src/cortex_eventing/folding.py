"""Station 6: a page of events is folded in memory before anything is written."""

import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

from cortex_eventing.catalogue import Catalogue
from cortex_eventing.checkpoints import Lane
from cortex_eventing.errors import CortexError
from cortex_eventing.projection_ports import TableChange
from cortex_eventing.read_model import Key, ReadModel
from cortex_eventing.recorded import Recorded, RecordedBytes


class Unfoldable(CortexError):
    """An event that cannot be parsed, or that a `project` stumbles over. Names kind and place, quotes nothing."""

    def __init__(self, position: int, error: Exception) -> None:
        super().__init__(f"position {position}: {describe(error)}")


def describe(error: Exception) -> str:
    """An error's kind and place, without its words: they may quote an event."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {frames[-1].name} line {frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


@dataclass(frozen=True)
class Concern:
    """An event that concerns one row of one read model."""

    read_model: ReadModel[Any]
    key: Key
    recorded: Recorded[Any]


@dataclass
class Fold:
    """Read models' rows in memory, and which of them changed.

    Attributes:
        rows: the rows as they are now, None where there is none; every key that a concern names must be there.
    """

    rows: Mapping[ReadModel[Any], dict[Key, Any]]
    changed: dict[ReadModel[Any], dict[Key, None]] = field(default_factory=dict)

    def apply(self, concern: Concern) -> None:
        """Fold one event into its row.

        Raises:
            Unfoldable: `project` raised, or gave a row of another key.
        """
        model, key = concern.read_model, concern.key
        rows = self.rows[model]
        before = rows[key]
        try:
            after = model.project(before, concern.recorded)
            strayed = after is not None and after is not before and model.key_in(after) != key
        except Exception as error:
            raise Unfoldable(concern.recorded.position, error) from error
        if strayed:
            raise Unfoldable(concern.recorded.position, ValueError("the row's key is not the event's"))
        if after is not before:
            rows[key] = after
            self.changed.setdefault(model, {})[key] = None

    def changes(self) -> list[TableChange]:
        """What is to be written."""
        return [self._change(model, keys) for model, keys in self.changed.items()]

    def _change(self, model: ReadModel[Any], keys: Iterable[Key]) -> TableChange:
        rows = self.rows[model]
        return TableChange(
            model,
            upserts=[rows[key] for key in keys if rows[key] is not None],
            deletes=[key for key in keys if rows[key] is None],
        )


class Listening:
    """Which read models listen to which events."""

    def __init__(self, read_models: Sequence[ReadModel[Any]]) -> None:
        self._listeners: dict[str, list[ReadModel[Any]]] = {}
        events: dict[type[Message], None] = {}
        for model in read_models:
            for event in model.listens_to:
                events[event] = None
                self._listeners.setdefault(event.DESCRIPTOR.full_name, []).append(model)
        self._catalogue = Catalogue(tuple(events))

    def hears(self, raw: RecordedBytes) -> bool:
        """Whether any read model listens to it."""
        return raw.topic in self._listeners

    def concerns(self, raw: RecordedBytes) -> tuple[Lane, list[Concern]]:
        """An event that is heard, with its lane.

        Raises:
            Unfoldable: it cannot be parsed, or a `key_of` raised.
        """
        try:
            recorded = self._catalogue.parse(raw)
            event_type = self._catalogue.of(raw.topic)
            found = []
            for model in self._listeners[raw.topic]:
                key = model.key_of(recorded)
                if key is not None:
                    found.append(Concern(model, key, recorded))
        except Exception as error:
            raise Unfoldable(raw.position, error) from error
        return Lane(event_type.resource, event_type.resource_id(recorded.event)), found

    def lane(self, raw: RecordedBytes) -> Lane:
        """The lane of an event that is heard; one that cannot be parsed is a lane of its own aggregate."""
        event_type = self._catalogue.of(raw.topic)
        try:
            return Lane(event_type.resource, event_type.resource_id(self._catalogue.parse(raw).event))
        except Exception:  # noqa: BLE001 - whatever is wrong with it, it must be set aside somewhere
            return Lane(event_type.resource, str(raw.aggregate_id))
