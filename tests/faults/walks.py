"""Where a service may die: every failpoint, and who passes it."""

from collections.abc import Mapping, Sequence

from tests.faults.installation import SERVICES

WALKS: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "storing": (SERVICES, ["commands.after_decide", "store.before_append", "store.after_append_before_reply"]),
    "publishing": (SERVICES, ["relay.chunk_sent", "relay.after_publish", "relay.after_ack"]),
    "projecting": (SERVICES, ["projection.before_write", "projection.after_write"]),
    "reacting": (["session"], ["reaction.before_command", "reaction.after_commands"]),
    "hearing": (
        ["transcriber"],
        ["transcriber.after_recognition", "transcriber.after_commit", "transcriber.after_final"],
    ),
}
"""Every failpoint, and the services that pass it. Each start is armed with the next one, since starts take longest."""
