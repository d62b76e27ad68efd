"""Gathers the evidence, once everything that was stored has been published, folded and reacted to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from cortex.common.v1.feed_pb2 import ReadEventsRequest, ReadEventsResponse, RecordedEvent
from cortex.identity.v1.identity_service_pb2 import ListParticipantsRequest
from cortex.identity.v1.resources_pb2 import Participant
from cortex.session.v1.resources_pb2 import Attendance, Session
from cortex.session.v1.session_service_pb2 import ListAttendanceRequest, ListSessionsRequest
from cortex_client.client import CortexClient
from cortex_client.events import connect, follow
from cortex_runtime.adapters.roles import dsn_with
from cortex_testkit.waiting import eventually
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError
from psycopg import AsyncConnection

from tests.faults.evidence import STREAMS, Evidence, Published
from tests.faults.installation import SERVICES, Installation
from tests.faults.ledger import Ledger

SETTLES_WITHIN = 60.0
"""Seconds until a stream is filled and read again after the worst of faults here; many times what it takes."""

PAGE = 1_000
"""Events or rows in one answer: the most that a service gives."""

READERS: Mapping[tuple[str, str], str] = {
    ("identity", "participants"): "identity",
    ("session", "rooms"): "session",
    ("session", "follow-speakers"): "transcriber",
    ("transcriber", "speakers"): "transcriber",
    ("transcriber", "empty-rooms"): "session",
}
"""Every reader with a checkpoint, by its service and name, and whose events it reads."""

Followed = Mapping[str, list[str]]
ListRequest = ListParticipantsRequest | ListSessionsRequest | ListAttendanceRequest


class Feed(Protocol):
    """A stub of any of the services."""

    def ReadEvents(self, request: ReadEventsRequest, /) -> Awaitable[ReadEventsResponse]:  # noqa: N802 - gRPC's name
        """See the contracts."""
        ...


@asynccontextmanager
async def following(nats_url: str, project_id: str) -> AsyncIterator[Followed]:
    """The ids of a project's events by service, as a consumer outside receives them while the context lasts."""
    received: Followed = {service: [] for service in SERVICES}
    broker = await connect(nats_url)

    async def consume(service: str) -> None:
        async for event in follow(broker, STREAMS[service], subject=f"cortex.v1.{project_id}.>"):
            received[service].append(event.id)

    tasks = [asyncio.create_task(consume(service)) for service in SERVICES]
    try:
        yield received
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await broker.close()


async def gathered(installed: Installation, ledger: Ledger, followed: Followed) -> Evidence:
    """Everything that is there.

    Raises:
        AssertionError: something that is stored was not published or read in time.
    """
    await settled(installed)
    async with CortexClient(installed.addresses, ledger.project_id) as cortex:
        stores = {service: await stored(getattr(cortex, service)) for service in SERVICES}
        await eventually(lambda: _all_received(stores, ledger.project_id, followed), SETTLES_WITHIN)
        return Evidence(
            stores=stores,
            streams={service: await on_stream(installed, service) for service in SERVICES},
            followed={service: list(ids) for service, ids in followed.items()},
            participants=await _participants(cortex),
            sessions=await _sessions(cortex),
            messages={each: [said async for said in cortex.list_messages(each)] for each in ledger.spoken_in},
            attendance={each: await _attendance(cortex, each) for each in ledger.spoken_in},
            parked=[parked for service in SERVICES for parked in await _parked(installed, service)],
        )


async def settled(installed: Installation) -> None:
    """Wait until everything that is stored is published, folded and reacted to, and nothing more comes of it."""
    await eventually(lambda: _is_settled(installed), SETTLES_WITHIN)


async def _is_settled(installed: Installation) -> bool:
    heads = {service: await _head(installed, service) for service in SERVICES}
    published = {service: await _last_published(installed, service) for service in SERVICES}
    read = {
        (service, reader): position
        for service in SERVICES
        for reader, position in await rows(installed, service, "SELECT reader, position FROM cortex_checkpoints")
    }
    assert read.keys() <= READERS.keys(), "a reader that nobody waits for"
    behind = any(read.get(reader, 0) < heads[source] for reader, source in READERS.items())
    return not behind and published == heads == {service: await _head(installed, service) for service in SERVICES}


async def rows(installed: Installation, service: str, query: str) -> list[tuple[Any, ...]]:
    """What a statement finds, or does, in a service's database, whosever project it is."""
    dsn = dsn_with(installed.servers.postgres.dsn, dbname=service)
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        found = await connection.execute(query)
        return await found.fetchall() if found.description else []


async def _head(installed: Installation, service: str) -> int:
    found = await rows(installed, service, "SELECT coalesce(max(notification_id), 0) FROM stored_events")
    return int(found[0][0])


async def _parked(installed: Installation, service: str) -> list[str]:
    found = await rows(installed, service, "SELECT reader, position, why FROM cortex_parked_events")
    return [f"{service} {reader} {position}: {why}" for reader, position, why in found]


async def stored(feed: Feed) -> Sequence[RecordedEvent]:
    """A service's whole store, as its feed gives it."""
    events: list[RecordedEvent] = []
    after, at_head = 0, False
    while not at_head:
        page = await feed.ReadEvents(ReadEventsRequest(after_position=after, page_size=PAGE))
        events += page.events
        after, at_head = page.read_up_to, page.at_head
    return events


def _all_received(stores: Mapping[str, Sequence[RecordedEvent]], project_id: str, followed: Followed) -> bool:
    """Whether the consumer outside has the last event of each service; what it has before that, the checker sees."""
    return all(
        event.id in followed[service]
        for service, store in stores.items()
        if service in followed
        for event in [each for each in store if each.project_id == project_id][-1:]
    )


async def _last_published(installed: Installation, service: str) -> int:
    async with jetstream(installed.servers.nats.url) as broker:
        try:
            state = (await broker.stream_info(STREAMS[service])).state
            last = await broker.get_msg(STREAMS[service], state.last_seq) if state.messages else None
        except NotFoundError:
            return 0
    return int((last.headers or {})["ce-position"]) if last else 0


async def on_stream(installed: Installation, service: str) -> Sequence[Published]:
    """Every message on a service's stream."""
    async with jetstream(installed.servers.nats.url) as broker:
        count = (await broker.stream_info(STREAMS[service])).state.messages
        everything = ConsumerConfig(ack_policy=AckPolicy.NONE, deliver_policy=DeliverPolicy.ALL)
        reader = await broker.pull_subscribe("", stream=STREAMS[service], config=everything)
        messages: list[Published] = []
        while len(messages) < count:
            messages += [_published(message) for message in await reader.fetch(PAGE, timeout=SETTLES_WITHIN)]
        return messages


def _published(message: Msg) -> Published:
    said = message.headers or {}
    return Published(
        id=said["ce-id"],
        position=int(said["ce-position"]),
        previous_position=int(said["ce-previousposition"]),
        topic=said["ce-dataschema"].partition(":")[2],
        data=message.data,
    )


@asynccontextmanager
async def jetstream(nats_url: str) -> AsyncIterator[JetStreamContext]:
    """The broker's API, on a connection of its own."""
    connection = await connect(nats_url)
    try:
        yield connection.jetstream()
    finally:
        await connection.close()


async def _participants(cortex: CortexClient) -> Sequence[Participant]:
    request = ListParticipantsRequest(project_id=cortex.project_id, page_size=PAGE)
    return [each async for page in _pages(cortex.identity.ListParticipants, request) for each in page.participants]


async def _sessions(cortex: CortexClient) -> Sequence[Session]:
    request = ListSessionsRequest(project_id=cortex.project_id, page_size=PAGE)
    return [each async for page in _pages(cortex.session.ListSessions, request) for each in page.sessions]


async def _attendance(cortex: CortexClient, session_id: str) -> Sequence[Attendance]:
    request = ListAttendanceRequest(project_id=cortex.project_id, session_id=session_id, page_size=PAGE)
    return [each async for page in _pages(cortex.session.ListAttendance, request) for each in page.attendances]


async def _pages(method: Callable[..., Awaitable[Any]], request: ListRequest) -> AsyncIterator[Any]:
    while True:
        page = await method(request)
        yield page
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token
