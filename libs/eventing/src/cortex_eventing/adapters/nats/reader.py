"""Station 6: reading a stream live, by an ephemeral pull consumer without acknowledgements.

The reader's checkpoint is the cursor, so nothing is acknowledged, and a consumer that is lost is simply made again. Raw
requests are used: nats-py's ordered consumer drops silently under a slow handler, and its `fetch` has half the rate.
"""

import asyncio
import json
import logging
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import nats.errors
import nats.js.errors
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from cortex_eventing.adapters.nats.connection import Nats, away_as_stream_away
from cortex_eventing.adapters.nats.headers import NotAnEvent, recorded_bytes
from cortex_eventing.ports import StreamMessage
from cortex_eventing.stream_ports import CursorLost, StreamAway, StreamMissing

log = logging.getLogger(__name__)

ASKED_AT_MOST = 1_000
"""Messages asked for and not yet processed: with MAX_REQUEST_BYTES it bounds memory."""

REFILL_AT = 500
"""When asked minus processed falls to this, what is missing to ASKED_AT_MOST is asked for."""

MAX_REQUEST_BYTES = 16 * 1024**2
"""Bytes of one request; reaching it ends the request, not the consumer. A message is far smaller than this."""

INACTIVE_AFTER = 60.0
"""Seconds after which the server forgets a consumer that nobody asks."""

_GONE = (nats.errors.Error, nats.js.errors.Error, TimeoutError, OSError, StreamAway)
_STATUS = "Status"
_REQUEST_ENDED = ("Batch Completed", "Message Size Exceeds MaxBytes")
"""What the server says about a request with `max_bytes` that is served; the consumer lives on."""
_ACK_TOKENS_BEFORE_SEQUENCE = 5
_ACK_TOKENS_WITH_DOMAIN = 11
_DOMAIN_TOKENS = 2


class NatsCursor:
    """The adapter of `Cursor`."""

    def __init__(self, connection: Nats, stream: str, consumer: str, inbox: str, after: int) -> None:
        self.after = after
        self._connection = connection
        self._stream = stream
        self._request_subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._inbox = inbox
        self._came: list[StreamMessage] = []
        self._news = asyncio.Event()
        self._lost = ""
        self._asked = 0

    async def take(self, seconds: float) -> Sequence[StreamMessage]:
        """See `Cursor`."""
        if not self._came and not self._lost:
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._news.wait()
        if self._came:
            came, self._came = self._came, []
            return came
        if self._lost:
            raise CursorLost(self._lost)
        return ()

    async def processed(self, count: int) -> None:
        """See `Cursor`."""
        self._asked -= count
        await self.refill()

    async def refill(self) -> None:
        """Ask for what is missing. Without `expires`: a quiet request stays valid, and ends with no status."""
        if self._asked > REFILL_AT or self._lost:
            return
        missing = ASKED_AT_MOST - self._asked
        self._asked = ASKED_AT_MOST
        request = json.dumps({"batch": missing, "max_bytes": MAX_REQUEST_BYTES}).encode()
        with away_as_stream_away():
            await self._connection.client.publish(self._request_subject, request, self._inbox)

    async def hear(self, message: Msg) -> None:
        """A message, or a status about a request."""
        if message.headers and _STATUS in message.headers:
            await self._hear_status(message.headers)
        else:
            self._hear_event(message)
        self._news.set()

    def _hear_event(self, message: Msg) -> None:
        try:
            event = recorded_bytes(message.headers, message.data)
        except NotAnEvent:
            # Somebody else's message on our subjects. The events around it are contiguous without it.
            # Its subject is theirs too, and may hold anything: the sequence finds it as well.
            log.warning("message %d of the stream %s is no event", stream_sequence(message.reply), self._stream)
            self._asked -= 1
        else:
            self._came.append(StreamMessage(event, stream_sequence(message.reply)))

    async def _hear_status(self, headers: dict[str, str]) -> None:
        unserved = headers.get("Nats-Pending-Messages")
        if headers.get("Description") in _REQUEST_ENDED and unserved is not None:
            self._asked -= int(unserved)
            await self.refill()
        else:
            self.lose(f"status {headers[_STATUS]} {headers.get('Description', '')}".strip())

    def lose(self, why: str = "disconnected") -> None:
        """Nothing will come any more."""
        self._lost = self._lost or why
        self._news.set()


class NatsSource:
    """A service's stream, for readers: the adapter of `SourceStream`.

    Args:
        nats: the connection.
        stream: its name.
    """

    def __init__(self, nats: Nats, stream: str) -> None:
        self._nats = nats
        self._stream = stream

    @asynccontextmanager
    async def open(self, after: int | None) -> AsyncIterator[NatsCursor]:
        """See `SourceStream`."""
        client = self._nats.client
        consumer = f"reader-{uuid.uuid4().hex}"
        with away_as_stream_away():
            begin = await self._begin(after)
            inbox = client.new_inbox()
            cursor = NatsCursor(self._nats, self._stream, consumer, inbox, begin)
            subscription = await client.subscribe(inbox, cb=cursor.hear)
        try:
            with self._nats.on_loss(cursor.lose):
                await self._create(consumer, begin)
                await cursor.refill()
                yield cursor
        finally:
            with suppress(*_GONE):
                await subscription.unsubscribe()
                await self._delete(consumer)

    async def _begin(self, after: int | None) -> int:
        """Where to begin. A start beyond the end would wait for ever, so a wrong hint is cut back to the end."""
        try:
            last = (await self._nats.jetstream.stream_info(self._stream)).state.last_seq
        except NotFoundError:
            raise StreamMissing(self._stream) from None
        return last if after is None else min(after, last)

    async def _create(self, consumer: str, begin: int) -> None:
        config = ConsumerConfig(
            name=consumer,
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=begin + 1,
            ack_policy=AckPolicy.NONE,
            inactive_threshold=INACTIVE_AFTER,
            mem_storage=True,
            num_replicas=1,
        )
        with away_as_stream_away():
            await self._nats.jetstream.add_consumer(self._stream, config)

    async def _delete(self, consumer: str) -> None:
        """Spare the server the wait for INACTIVE_AFTER."""
        if self._nats.is_connected:
            await self._nats.jetstream.delete_consumer(self._stream, consumer)


def stream_sequence(reply: str) -> int:
    """The stream's sequence in a message's reply subject, which has two more tokens when JetStream has a domain."""
    tokens = reply.split(".")
    shift = _DOMAIN_TOKENS if len(tokens) >= _ACK_TOKENS_WITH_DOMAIN else 0
    return int(tokens[_ACK_TOKENS_BEFORE_SEQUENCE + shift])
