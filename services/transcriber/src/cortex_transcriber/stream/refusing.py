"""Telling a bot what was wrong about one of its peers; the stream of the others goes on."""

from cortex_eventing.errors import Rejected

from cortex_transcriber.stream import answers
from cortex_transcriber.stream.metrics import REFUSED
from cortex_transcriber.stream.outbox import Outbox
from cortex_transcriber.stream.parts import Parts
from cortex_transcriber.stream.room import Refuse


async def tell(refuse: Refuse, outbox: Outbox, parts: Parts) -> None:
    """Answer with the refusal's status, and count it."""
    REFUSED.labels(refuse.error.reason).inc()
    await outbox.put(answers.refused(refuse.handle, parts.status_of(refuse.error), removed=refuse.removed))


def removal(handle: int, error: Rejected) -> Refuse:
    """A refusal that takes the peer from the stream."""
    return Refuse(handle, error, removed=True)
