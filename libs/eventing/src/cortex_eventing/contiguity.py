"""Whether messages follow one another without anything missing, judged by previous positions alone.

Positions have gaps and streams may have holes, so neither a position nor a sequence says what is missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cortex_eventing.checkpoints import Checkpoint
from cortex_eventing.ports import StreamMessage
from cortex_eventing.recorded import RecordedBytes


@dataclass(frozen=True)
class Accepted:
    """What a run of messages adds to a checkpoint.

    Attributes:
        events: those that follow, without repeats.
        checkpoint: after them. Its sequence also passes the repeats.
        rest: from the first message that does not follow on; empty when all did.
    """

    events: Sequence[RecordedBytes]
    checkpoint: Checkpoint
    rest: Sequence[StreamMessage]


def accept(messages: Sequence[StreamMessage], checkpoint: Checkpoint) -> Accepted:
    """Take the messages that follow, skip those at or below the checkpoint, stop at a gap."""
    events: list[RecordedBytes] = []
    position, sequence = checkpoint.position, checkpoint.sequence
    for index, message in enumerate(messages):
        event = message.event
        if event.position > position:
            if event.previous_position != position:
                return Accepted(events, Checkpoint(position, sequence), messages[index:])
            events.append(event)
            position = event.position
        sequence = message.sequence
    return Accepted(events, Checkpoint(position, sequence), ())
