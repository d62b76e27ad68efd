"""`relay`: events a second from the store to the stream, against a bare publish loop with ready messages."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from cortex_eventing.adapters.nats.publisher import EXPECTED_SEQUENCE
from cortex_eventing.adapters.nats.reader import NatsSource
from cortex_eventing.adapters.nats.stream import delete_stream
from cortex_eventing.ports import StreamEnd
from cortex_eventing.recorded import RecordedBytes
from cortex_eventing.role_state import Reports
from cortex_eventing.roles import Role, running
from cortex_eventing.stream_ports import OwnStream, Publishing
from floors.bare_publish import Prebuilt, publish
from harness import Bar, check, interleaved, measure, progress
from nats.js.api import StreamConfig
from people import EVENTS_EACH, populate
from rig import ENVELOPES, STREAM, Rig, all_events, identity_rig

BAR = Bar(0.7)
PAIRS = 15
PEOPLE = 1_000
"""Ten thousand messages a block: more than half a second each."""

TAKE_WITHIN = 5.0


class TimedStream:
    """The service's stream, with a look at the clock when publishing begins and when all is acknowledged."""

    def __init__(self, stream: OwnStream, messages: int) -> None:
        self._stream = stream
        self._messages = messages
        self.began = self.ended = 0.0
        self.complete = asyncio.Event()

    @property
    def name(self) -> str:
        """See `OwnStream`."""
        return self._stream.name

    async def create(self) -> None:
        """See `OwnStream`."""
        await self._stream.create()

    async def end(self) -> StreamEnd | None:
        """See `OwnStream`."""
        return await self._stream.end()

    @asynccontextmanager
    async def publishing(self, after: int) -> AsyncIterator[Publishing]:
        """See `OwnStream`."""
        async with self._stream.publishing(after) as publishing:
            self.began = time.perf_counter()
            yield _TimedPublishing(publishing, self)

    def settled_at(self, sequence: int) -> None:
        """All that was sent is acknowledged."""
        if sequence == self._messages and not self.complete.is_set():
            self.ended = time.perf_counter()
            self.complete.set()


class _TimedPublishing:
    def __init__(self, publishing: Publishing, told: TimedStream) -> None:
        self._publishing = publishing
        self._told = told

    @property
    def sequence(self) -> int:
        return self._publishing.sequence

    async def send(self, events: Sequence[RecordedBytes]) -> None:
        await self._publishing.send(events)

    async def settled(self) -> None:
        await self._publishing.settled()
        self._told.settled_at(self.sequence)


async def relayed(rig: Rig, events: Sequence[RecordedBytes]) -> float:
    """Events a second of our relay into a new stream, which must hold them all afterwards."""
    stream = TimedStream(rig.stream(), len(events))
    async with running([Role("relay", rig.relay(stream).run)], Reports()):
        await stream.complete.wait()
    await check_content(rig, events)
    await delete_stream(rig.nats, STREAM)
    return len(events) / (stream.ended - stream.began)


async def check_content(rig: Rig, events: Sequence[RecordedBytes]) -> None:
    """The stream must hold what the store holds, in order, each with its previous position."""
    found: list[RecordedBytes] = []
    async with NatsSource(rig.nats, STREAM).open(0) as cursor:
        while len(found) < len(events):
            messages = await cursor.take(TAKE_WITHIN)
            check(bool(messages), f"the stream holds {len(found)} of {len(events)} events")
            found += [message.event for message in messages]
            await cursor.processed(len(messages))
    check(found == list(events), "the stream's content is not the store's")


def prebuilt(events: Sequence[RecordedBytes]) -> Sequence[Prebuilt]:
    """The messages that the relay publishes into an empty stream, fence and all."""
    envelopes = [ENVELOPES.of(event) for event in events]
    return [
        Prebuilt(envelope.subject, {**envelope.headers, EXPECTED_SEQUENCE: str(sequence)}, envelope.body)
        for sequence, envelope in enumerate(envelopes)
    ]


async def configuration(rig: Rig) -> StreamConfig:
    """How the floor's stream is made: like ours."""
    await rig.stream().create()
    info = await rig.nats.jetstream.stream_info(STREAM)
    await delete_stream(rig.nats, STREAM)
    return info.config.evolve(name="FLOOR")


async def main() -> None:
    """Measure."""
    async with identity_rig() as rig:
        progress("relay: storing events")
        await populate(rig.store, PEOPLE)
        events = await all_events(rig.store)
        check(len(events) == PEOPLE * EVENTS_EACH, "the store does not hold what was stored")
        messages, config = prebuilt(events), await configuration(rig)
        pairs = await interleaved(
            lambda: relayed(rig, events), lambda: publish(rig.nats_server.url, config, messages), PAIRS, "relay"
        )
    pairs.report("relay", "events a second from store to stream", BAR)


if __name__ == "__main__":
    measure(main())
