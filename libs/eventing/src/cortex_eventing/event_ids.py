"""The id of an event, derived, so that a repeat of anything that writes or sends it names the same one."""

import uuid

EVENT_NAMESPACE = uuid.UUID("6f3b8f5c-0a0e-5d0f-9c39-5f1d7f0c2b61")
"""Drawn once. Changing it would give every stored event another id."""


def event_id(aggregate_id: uuid.UUID, version: int) -> uuid.UUID:
    """The UUIDv5 of the event that brought an aggregate to `version`."""
    return uuid.uuid5(EVENT_NAMESPACE, f"{aggregate_id}/{version}")
