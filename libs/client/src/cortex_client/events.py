"""Domain events as a consumer outside of Cortex receives them: CloudEvents on JetStream, nothing of ours needed.

Each service has one stream. A subject is `cortex.v1.<project>.<resource>.<resource id>.<entity>.<verb>`, so `*` filters
by any of these; the headers are CloudEvents attributes in NATS binary mode, the body is the protobuf message that the
contracts name for the event's type. Who keeps the `Place` of the last event that was dealt with misses none and sees
none twice.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from urllib.parse import unquote

import nats
from cortex.common.v1.options_pb2 import event as event_option
from cortex.identity.v1 import events_pb2 as identity_events
from cortex.session.v1 import events_pb2 as session_events
from cortex.transcriber.v1 import events_pb2 as transcriber_events
from google.protobuf.message import Message
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from cortex_client.backoff import Backoff

EVERYTHING = "cortex.v1.>"
# One for each service.
STREAMS = ("IDENTITY", "SESSION", "TRANSCRIBER")

# How much the server may send ahead of us: enough to fill the wire, little enough to hold in memory.
BATCH = 256
# The server answers every request within this, if only to say that there was nothing ...
EXPIRES_S = 5.0
# ... so that a longer silence means that the consumer is gone.
SILENCE_S = EXPIRES_S + 2.0
# The server forgets a consumer that nobody asks for so long.
FORGOTTEN_AFTER_S = 60.0
# A broker that restarts is found again within this.
RECONNECT_WAIT_S = 0.2

NOTHING_NOW = {"404", "408"}

MESSAGES: Mapping[str, type[Message]] = {
    descriptor.GetOptions().Extensions[event_option].type: getattr(module, name)
    for module in (identity_events, session_events, transcriber_events)
    for name, descriptor in module.DESCRIPTOR.message_types_by_name.items()
    if descriptor.GetOptions().HasExtension(event_option)
}


@dataclass(frozen=True)
class Place:
    """Where a reader of one stream is.

    Attributes:
        sequence: of the stream. It starts anew when the stream is made anew.
        position: of the event in its service, which rises for ever.
    """

    sequence: int = 0
    position: int = 0


@dataclass(frozen=True)
class ReceivedEvent:
    """One event.

    Attributes:
        id: the same for every copy of this event, for consumers that drop duplicates.
        type: what happened, for example `message.created`.
        source: the service that says so.
        subject: what it happened to, `<resource>:<id>`.
        time: when it was stored.
        project_id: the project, or `_`.
        place: where to go on after it.
        data: the protobuf message, serialized.
        channel: the NATS subject that it came by.
    """

    id: str
    type: str
    source: str
    subject: str
    time: datetime
    project_id: str
    place: Place
    data: bytes
    channel: str

    @classmethod
    def of(cls, message: Msg) -> Self:
        """Read the headers. Raises KeyError when it is not one of our events."""
        attributes = {name: unquote(value) for name, value in (message.headers or {}).items()}
        return cls(
            id=attributes["ce-id"],
            type=attributes["ce-type"],
            source=attributes["ce-source"],
            subject=attributes["ce-subject"],
            time=datetime.fromisoformat(attributes["ce-time"]),
            project_id=attributes["ce-projectid"],
            place=Place(message.metadata.sequence.stream, int(attributes["ce-position"])),
            data=message.data,
            channel=message.subject,
        )

    def message(self) -> Message:
        """The event itself. Raises KeyError for a type that these contracts do not know yet."""
        return MESSAGES[self.type].FromString(self.data)


class Interrupted(Exception):
    """The server's side of the reading is gone; it is made again."""


async def connect(url: str) -> Client:
    """A connection that outlives restarts of the broker; the caller closes it."""

    async def ignore(_: Exception) -> None:
        """Absences are seen where they matter: as an interrupted reading."""

    return await nats.connect(
        url, max_reconnect_attempts=-1, reconnect_time_wait=RECONNECT_WAIT_S, error_cb=ignore, connect_timeout=2
    )


async def follow(
    broker: Client, stream: str, *, subject: str = EVERYTHING, after: Place | None = None
) -> AsyncIterator[ReceivedEvent]:
    """The events of a stream after a place, each once and in order, for ever; absences of the broker are waited out."""
    place, backoff = after or Place(), Backoff()
    jetstream = broker.jetstream()
    while True:
        try:
            async for message in _read(broker, jetstream, stream, subject, place):
                received = ReceivedEvent.of(message)
                if received.place.position > place.position:
                    backoff.reset()
                    yield received
                place = Place(received.place.sequence, max(place.position, received.place.position))
        except (NatsError, Interrupted, TimeoutError):
            await asyncio.sleep(backoff.next())


async def _read(
    broker: Client, jetstream: JetStreamContext, stream: str, subject: str, place: Place
) -> AsyncIterator[Msg]:
    """What a fresh consumer delivers until something breaks."""
    consumer = await _consumer(jetstream, stream, subject, place)
    inbox = broker.new_inbox()
    arriving: asyncio.Queue[Msg] = asyncio.Queue()

    async def arrived(message: Msg) -> None:
        await arriving.put(message)

    subscription = await broker.subscribe(inbox, cb=arrived)
    asked = 0
    try:
        while True:
            if not asked:
                await broker.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}", _request(), reply=inbox)
                asked = BATCH
            # Not the subscription's own wait: on Python 3.11 that can swallow a cancellation.
            async with asyncio.timeout(SILENCE_S):
                message = await arriving.get()
            status = (message.headers or {}).get("Status")
            if status is None:
                asked -= 1
                yield message
            elif status in NOTHING_NOW:
                asked = 0
            else:
                raise Interrupted(status)
    finally:
        if not broker.is_closed:
            await subscription.unsubscribe()


async def _consumer(jetstream: JetStreamContext, stream: str, subject: str, place: Place) -> str:
    """A new consumer behind a place. A stream that was made anew is read from its beginning."""
    config = ConsumerConfig(
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=place.sequence + 1 if await _holds(jetstream, stream, place) else 1,
        ack_policy=AckPolicy.NONE,
        filter_subject=subject,
        inactive_threshold=FORGOTTEN_AFTER_S,
    )
    return (await jetstream.add_consumer(stream, config)).name


async def _holds(jetstream: JetStreamContext, stream: str, place: Place) -> bool:
    """Whether a sequence still means what it meant: a stream that was made anew counts from 1 again."""
    if place.sequence > (await jetstream.stream_info(stream)).state.last_seq:
        return False
    try:
        message = await jetstream.get_msg(stream, place.sequence) if place.sequence else None
    except NotFoundError:
        return True  # deleted since; deletions shift no sequence
    return message is None or (message.headers or {}).get("ce-position") == str(place.position)


def _request() -> bytes:
    return json.dumps({"batch": BATCH, "expires": int(EXPIRES_S * 1_000_000_000)}).encode()
