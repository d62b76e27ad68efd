"""What a stream that is there already differs in from how it would be made: what can be mended, and what cannot."""

from typing import Any

from nats.js.api import StreamConfig

_MENDED = (
    *("discard_new_per_subject", "discard", "max_bytes", "max_age", "max_msgs", "max_msgs_per_subject"),
    *("max_msg_size", "no_ack", "allow_direct"),
)
"""What decides whether the last message survives, whether every event gets in and whether the relay hears of it. All
else, like the duplicate window or a description, is whoever set it's. In an order that can be gone through one by one:
the server refuses the first with the second other than new."""

_MADE_FOR_EVER = ("storage", "retention", "sealed", "deny_delete", "deny_purge", "max_consumers")
"""What the server does not change in a stream that is there."""


def mending(existing: StreamConfig, wanted: StreamConfig) -> dict[str, Any]:
    """The values that a stream must be given, by their names in its configuration.

    Copies in the broker's cluster are only ever added: fewer would be less than somebody saw to.
    """
    changes = {name: getattr(wanted, name) for name in _MENDED if getattr(existing, name) != getattr(wanted, name)}
    if (existing.num_replicas or 1) < (wanted.num_replicas or 1):
        changes["num_replicas"] = wanted.num_replicas
    return changes


def beyond_mending(existing: StreamConfig, wanted: StreamConfig) -> list[str]:
    """The names of what only a new stream can have otherwise."""
    return [name for name in _MADE_FOR_EVER if getattr(existing, name) != getattr(wanted, name)]
