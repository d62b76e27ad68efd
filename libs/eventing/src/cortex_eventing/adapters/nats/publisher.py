"""Station 5: publishing in order, many messages in flight, each on condition of the stream's last sequence.

The fence (`Nats-Expected-Last-Sequence`, counted on) makes the server refuse everything behind the first message that
did not land where it should. Answers come to one inbox of ours: nats-py's own futures hang on a refusal. Two counters
and one time-out watch over all of them.
"""

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import nats.errors
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from cortex_eventing.adapters.nats.connection import Nats, away_as_stream_away
from cortex_eventing.adapters.nats.messages import Envelopes
from cortex_eventing.adapters.nats.raw_publish import command, publish_all
from cortex_eventing.errors import CortexError
from cortex_eventing.failpoints import declare, failpoint
from cortex_eventing.recorded import RecordedBytes
from cortex_eventing.roles import Alarm
from cortex_eventing.stream_ports import Fenced, StreamAway

WINDOW = 256
"""Messages in flight: more gained nothing, and it bounds what a refusal throws away."""

CHUNK = 64
"""Messages handed over at once: what one write to the socket costs is then shared by many."""

PROGRESS_WITHIN = 5.0
"""Seconds without any answer after which an attempt is given up. A cluster that elects a leader takes four."""

EXPECTED_SEQUENCE = "Nats-Expected-Last-Sequence"

FENCE_CODES = (10071, 10164)
"""The server's codes for "wrong last sequence", with and without the sequence in the text."""

FENCE_SIZE = 100
"""Bytes that the fence and the frame of the headers take at most."""

CHUNK_SENT = declare("relay.chunk_sent", "some messages are sent; whether they arrived nobody knows")

_attempts = itertools.count(1)


class FencedPublisher:
    """One attempt at publishing: the adapter of `Publishing`."""

    def __init__(self, connection: Nats, stream: str, envelopes: Envelopes, after: int) -> None:
        self._connection = connection
        self._stream = stream
        self._envelopes = envelopes
        self._sent = after
        self._acknowledged = after
        self._failure: CortexError | None = None
        self._awaited = 0
        self._progress = asyncio.Event()
        # Another subject for every attempt, so that the answers of an earlier one are not taken for its own.
        self.inbox = ""

    @property
    def sequence(self) -> int:
        """See `Publishing`."""
        return self._acknowledged

    async def send(self, events: Sequence[RecordedBytes]) -> None:
        """See `Publishing`."""
        for start in range(0, len(events), CHUNK):
            await self._until_in_flight(WINDOW - CHUNK)
            await self._send_chunk(events[start : start + CHUNK])

    async def _send_chunk(self, events: Sequence[RecordedBytes]) -> None:
        client, commands = self._connection.client, []
        for raw in events:
            envelope = self._envelopes.of(raw)
            if len(envelope.body) + len(envelope.lines) > client.max_payload - FENCE_SIZE:
                raise Alarm(f"the event at position {raw.position} is larger than the broker's max_payload: raise that")
            fence = f"{EXPECTED_SEQUENCE}: {self._sent}\r\n"
            commands.append(command(envelope.subject, self.inbox, envelope.lines + fence, envelope.body))
            self._sent += 1
        with away_as_stream_away():
            await publish_all(client, commands)
        await failpoint(CHUNK_SENT)

    async def settled(self) -> None:
        """See `Publishing`."""
        await self._until_in_flight(0)

    async def _until_in_flight(self, most: int) -> None:
        """Wait until at most so many messages are unacknowledged."""
        while self._sent - self._acknowledged > most:
            if self._failure is not None:
                raise self._failure
            self._awaited = self._sent - most
            self._progress.clear()
            try:
                async with asyncio.timeout(PROGRESS_WITHIN):
                    await self._progress.wait()
            except TimeoutError:
                raise StreamAway(f"NATS (no answer from stream {self._stream})") from None
        if self._failure is not None:
            raise self._failure

    async def hear(self, answer: Msg) -> None:
        """An answer of the server; answers come in the order of the messages."""
        if self._failure is not None:
            return
        sequence = _acknowledged_sequence(answer)
        if sequence == self._acknowledged + 1:
            self._acknowledged = sequence
        else:
            self._failure = _refusal(answer, self._stream) or Fenced(
                f"stream {self._stream}: {sequence} instead of {self._acknowledged + 1}"
            )
        if self._failure is not None or sequence >= self._awaited:
            self._progress.set()

    def lose(self) -> None:
        """The connection broke: what is in flight may or may not have arrived."""
        self._failure = self._failure or StreamAway("NATS")
        self._progress.set()


@asynccontextmanager
async def fenced_publisher(
    connection: Nats, stream: str, envelopes: Envelopes, after: int
) -> AsyncIterator[FencedPublisher]:
    """A publisher behind the sequence `after`, for one attempt."""
    publisher = FencedPublisher(connection, stream, envelopes, after)
    client = connection.client
    publisher.inbox = f"{client.new_inbox()}.{next(_attempts)}"
    with connection.on_loss(publisher.lose):
        with away_as_stream_away():
            subscription = await client.subscribe(publisher.inbox, cb=publisher.hear)
        try:
            yield publisher
        finally:
            await _end(subscription)


async def _end(subscription: Subscription) -> None:
    with suppress(nats.errors.Error):
        await subscription.unsubscribe()


_PLAIN_ANSWER = re.compile(rb'\{"stream":"[^"]*", ?"seq":(\d+)\}')


def _acknowledged_sequence(answer: Msg) -> int:
    """The sequence that an answer says; 0 for a refusal, an error, or a Status 503 with an empty body."""
    plain = _PLAIN_ANSWER.fullmatch(answer.data)
    if plain is not None:
        return int(plain[1])
    said = _said(answer)
    if "error" in said or said.get("duplicate"):
        return 0
    return int(said.get("seq", 0))


def _refusal(answer: Msg, stream: str) -> StreamAway | None:
    """Why the server cannot take the message at all; None when the fence refused it, or nobody answered.

    A full stream, or a disk without room, will not be better at once: that is waited for, and said.
    """
    error = _said(answer).get("error")
    if error is None or error.get("err_code") in FENCE_CODES:
        return None
    return StreamAway(f"NATS (stream {stream}: {error.get('description')})")


def _said(answer: Msg) -> dict[str, Any]:
    try:
        said = json.loads(answer.data)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
