"""Station 6: a page of events is folded in memory before anything is written."""

import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from google.protobuf.message import Message

from cortex_eventing.catalogue import Catalogue, EventType
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


class Concern(NamedTuple):
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


@dataclass(frozen=True)
class _Heard:
    """What is known of a type of event that somebody listens to."""

    event_type: EventType
    parse: Callable[[bytes], Message]
    listeners: Sequence[ReadModel[Any]]


class Listening:
    """Which read models listen to which events."""

    def __init__(self, read_models: Sequence[ReadModel[Any]]) -> None:
        events = dict.fromkeys(event for model in read_models for event in model.listens_to)
        self._heard = {
            each.topic: _Heard(
                each,
                each.message_class.FromString,
                [model for model in read_models if each.message_class in model.listens_to],
            )
            for each in Catalogue(tuple(events)).all()
        }

    def hears(self, raw: RecordedBytes) -> bool:
        """Whether any read model listens to it."""
        return raw.topic in self._heard

    def concerns(self, raw: RecordedBytes) -> tuple[Lane, list[Concern]]:
        """An event that is heard, with its lane.

        Raises:
            Unfoldable: it cannot be parsed, or a `key_of` raised.
        """
        heard = self._heard[raw.topic]
        try:
            recorded = Recorded(heard.parse(raw.data), raw)
            found = [
                Concern(model, key, recorded)
                for model in heard.listeners
                if (key := model.key_of(recorded)) is not None
            ]
        except Exception as error:
            raise Unfoldable(raw.position, error) from error
        return _lane(heard.event_type, recorded.event), found

    def lane(self, raw: RecordedBytes) -> Lane:
        """The lane of an event that is heard; one that cannot be parsed is a lane of its own aggregate."""
        heard = self._heard[raw.topic]
        try:
            return _lane(heard.event_type, heard.parse(raw.data))
        except Exception:  # noqa: BLE001 - whatever is wrong with it, it must be set aside somewhere
            return Lane(heard.event_type.resource, str(raw.aggregate_id))


def _lane(event_type: EventType, event: Message) -> Lane:
    return Lane(event_type.resource, event_type.resource_id(event))
