"""Events on a real JetStream, as an outside consumer follows them."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from cortex.session.v1.events_pb2 import SessionCreated
from cortex_client.events import Place, ReceivedEvent, connect, follow
from cortex_runtime.adapters.embedded import NatsServer
from nats.aio.client import Client

pytestmark = pytest.mark.integration

STREAM = "SESSION"
SUBJECT = "cortex.v1.p.session.s.session.created"


@pytest.fixture
async def broker(own_nats: NatsServer) -> AsyncIterator[Client]:
    connection = await connect(own_nats.url)
    yield connection
    await connection.close()


async def publish(broker: Client, *positions: int, subject: str = SUBJECT) -> None:
    for position in positions:
        headers = {
            "ce-specversion": "1.0",
            "ce-id": f"event-{position}",
            "ce-type": "session.created",
            "ce-source": "cortex.session",
            "ce-subject": "session:s",
            "ce-time": "2026-11-21T12:00:00Z",
            "ce-projectid": "p",
            "ce-position": str(position),
        }
        body = SessionCreated(session_id=str(position)).SerializeToString()
        await broker.jetstream().publish(subject, body, headers=headers)


async def take(events: AsyncIterator[ReceivedEvent], count: int) -> list[ReceivedEvent]:
    async with asyncio.timeout(20):
        return [await anext(events) for _ in range(count)]


def positions(events: list[ReceivedEvent]) -> list[int]:
    return [event.place.position for event in events]


async def make_stream(broker: Client) -> None:
    await broker.jetstream().add_stream(name=STREAM, subjects=["cortex.v1.>"])


async def test_events_are_read_and_understood(broker: Client) -> None:
    """Headers say what happened to what; the body is the message of the contracts."""
    await make_stream(broker)
    await publish(broker, 3)
    [event] = await take(follow(broker, STREAM), 1)
    assert (event.id, event.type, event.subject, event.project_id) == ("event-3", "session.created", "session:s", "p")
    assert event.message() == SessionCreated(session_id="3")


async def test_reading_goes_on_after_a_place(broker: Client) -> None:
    """Who keeps the place of the last event misses none and sees none twice, before and after a pause."""
    await make_stream(broker)
    await publish(broker, 1, 2, 3)
    first = await take(follow(broker, STREAM), 2)
    await publish(broker, 4)
    assert positions(await take(follow(broker, STREAM, after=first[-1].place), 2)) == [3, 4]


async def test_a_filter_leaves_the_others_out(broker: Client) -> None:
    """A consumer asks for one project by its token in the subject."""
    await make_stream(broker)
    await publish(broker, 1, subject="cortex.v1.other.session.s.session.created")
    await publish(broker, 2)
    assert positions(await take(follow(broker, STREAM, subject="cortex.v1.p.>"), 1)) == [2]


async def test_more_than_one_batch_comes_in_order(broker: Client) -> None:
    """What the server sends ahead is bounded, what is read is not."""
    await make_stream(broker)
    await publish(broker, *range(1, 601))
    assert positions(await take(follow(broker, STREAM), 600)) == list(range(1, 601))


async def test_a_broker_that_comes_back_is_read_on(broker: Client, own_nats: NatsServer) -> None:
    """A restart of the broker is waited out; the consumer that it forgot is made again."""
    await make_stream(broker)
    await publish(broker, 1)
    events = follow(broker, STREAM)
    assert positions(await take(events, 1)) == [1]
    await own_nats.kill()
    await own_nats.restart()
    await publish(broker, 2)
    assert positions(await take(events, 1)) == [2]


async def test_a_stream_that_is_made_anew_repeats_nothing(broker: Client) -> None:
    """The sequence starts again, the positions do not: what was seen before the refill is passed over."""
    await make_stream(broker)
    await publish(broker, 1, 2)
    place = (await take(follow(broker, STREAM), 2))[-1].place
    await broker.jetstream().delete_stream(STREAM)
    await make_stream(broker)
    await publish(broker, 2, 3, 4)
    assert place == Place(sequence=2, position=2)
    assert positions(await take(follow(broker, STREAM, after=place), 2)) == [3, 4]


async def test_a_deleted_message_shifts_nothing(broker: Client) -> None:
    """An erasure takes messages away; the place of one of them is still a place to go on from."""
    await make_stream(broker)
    await publish(broker, 1, 2)
    place = (await take(follow(broker, STREAM), 2))[-1].place
    await broker.jetstream().delete_msg(STREAM, place.sequence)
    await publish(broker, 3)
    assert positions(await take(follow(broker, STREAM, after=place), 1)) == [3]


async def test_a_stream_that_is_not_there_yet_is_waited_for(broker: Client) -> None:
    """A consumer may start before the service that makes the stream."""
    waiting = asyncio.create_task(take(follow(broker, STREAM), 1))
    await make_stream(broker)
    await publish(broker, 1)
    assert positions(await waiting) == [1]
