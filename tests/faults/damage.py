"""What may be done to a stream behind its service's back."""

import re
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet

from nats.js import JetStreamContext

from tests.faults.gathering import on_stream
from tests.faults.installation import Installation

TAIL = 5

Damage = Callable[[JetStreamContext, str], Awaitable[object]]


async def delete_tail(broker: JetStreamContext, stream: str) -> None:
    last = (await broker.stream_info(stream)).state.last_seq
    for sequence in range(last - TAIL + 1, last + 1):
        await broker.delete_msg(stream, sequence)


async def purge_subject(broker: JetStreamContext, stream: str) -> None:
    """The first message's: it is far from the end, where the relay's memory is."""
    first = await broker.get_msg(stream, (await broker.stream_info(stream)).state.first_seq)
    await broker.purge_stream(stream, subject=first.subject)


async def purge(broker: JetStreamContext, stream: str) -> None:
    await broker.purge_stream(stream)


async def delete(broker: JetStreamContext, stream: str) -> None:
    await broker.delete_stream(stream)


async def positions(installed: Installation, service: str) -> AbstractSet[int]:
    return {message.position for message in await on_stream(installed, service)}


def alarm(installed: Installation, service: str, since: int) -> str:
    """The command of the service that its log tells the operator to give; empty as long as it does not."""
    found = re.search(rf"python -m cortex_{service} ([a-z-]+)", installed.output(service)[since:])
    return found[1] if found else ""
