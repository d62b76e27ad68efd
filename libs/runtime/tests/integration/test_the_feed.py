"""One service's events, read by another through `ReadEvents`."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import grpc
import pytest
from cortex.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from cortex_eventing.errors import Unavailable
from cortex_eventing.ports import Page
from cortex_eventing.recorded import Origin, RecordedBytes
from cortex_runtime.adapters.channels import channel_to
from cortex_runtime.adapters.feed_servicer import LARGEST_PAGE, FeedServicer
from cortex_runtime.adapters.grpc_feed import GrpcFeed
from cortex_testkit.fake_services import IDENTITY, fake, serving

pytestmark = pytest.mark.integration

PROJECT = "01980a8f-0000-7000-8000-000000000001"
OTHER = "01980a8f-0000-7000-8000-000000000002"


def event(position: int, project_id: str = PROJECT, data: bytes = b"\x0a\x01x") -> RecordedBytes:
    return RecordedBytes(
        event_id=uuid.UUID(int=position),
        position=position,
        previous_position=position - 1,
        topic="cortex.identity.v1.ParticipantCreated",
        aggregate_id=uuid.UUID(int=1000 + position),
        version=1,
        recorded_at=datetime(2026, 11, 21, 10, 0, 0, 123456, tzinfo=UTC),
        origin=Origin(project_id, "key", "correlation", "causation", "traceparent"),
        data=data,
        data_owner="owner",
    )


@dataclass
class ListFeed:
    """A feed over a list."""

    events: Sequence[RecordedBytes]
    asked: list[tuple[int, int, str | None]] = field(default_factory=list)

    async def read(self, after: int, limit: int, project_id: str | None = None) -> Page:
        self.asked.append((after, limit, project_id))
        rest = [one for one in self.events if one.position > after]
        seen = rest[:limit]
        kept = [one for one in seen if project_id in (None, one.origin.project_id)]
        return Page(kept, seen[-1].position if seen else after, at_head=len(rest) <= limit)

    async def head(self) -> int:
        return max((one.position for one in self.events), default=0)


async def read_all(feed: GrpcFeed, project_id: str | None = None) -> list[RecordedBytes]:
    found: list[RecordedBytes] = []
    page = Page([], 0, at_head=False)
    while not page.at_head:
        page = await feed.read(page.read_up_to, 1000, project_id)
        found.extend(page.events)
    return found


async def test_events_arrive_as_they_were_stored() -> None:
    """Every part of an event survives the way through gRPC, and the head is the store's."""
    events = [event(1), event(2, OTHER), event(5)]
    async with serving(fake(IDENTITY, ReadEvents=FeedServicer(ListFeed(events)).ReadEvents)) as channel:
        feed = GrpcFeed(IdentityServiceStub(channel), "identity")
        assert await read_all(feed) == events
        assert await feed.head() == 5


async def test_a_project_sees_its_own_events() -> None:
    """With a project only its events come, while the position read up to moves on over the others."""
    async with serving(
        fake(IDENTITY, ReadEvents=FeedServicer(ListFeed([event(1), event(2, OTHER)])).ReadEvents)
    ) as one:
        page = await GrpcFeed(IdentityServiceStub(one), "identity").read(0, 10, PROJECT)
    assert ([found.position for found in page.events], page.read_up_to, page.at_head) == ([1], 2, True)


async def test_large_events_come_in_smaller_pages() -> None:
    """A page stops before gRPC's limit, so that the reader gets all of it in several answers."""
    events = [event(position, data=b"x" * (LARGEST_PAGE // 3)) for position in range(1, 10)]
    async with serving(fake(IDENTITY, ReadEvents=FeedServicer(ListFeed(events)).ReadEvents)) as channel:
        feed = GrpcFeed(IdentityServiceStub(channel), "identity")
        page = await feed.read(0, 1000)
        assert (len(page.events), page.read_up_to, page.at_head) == (2, 2, False)
        assert await read_all(feed) == events


async def test_page_sizes_are_bounded() -> None:
    """Nothing asked means the default, too much means the most."""
    source = ListFeed([event(1)])
    async with serving(fake(IDENTITY, ReadEvents=FeedServicer(source).ReadEvents)) as channel:
        feed = GrpcFeed(IdentityServiceStub(channel), "identity")
        await feed.read(0, 0)
        await feed.read(0, 5000)
    assert [limit for _, limit, _ in source.asked] == [500, 1000]


async def test_a_service_that_is_away_is_unavailable() -> None:
    """Nobody listens there: a state that passes, not a failure of the reader."""
    async with channel_to("127.0.0.1:1") as channel:
        with pytest.raises(Unavailable, match="identity is away"):
            await GrpcFeed(IdentityServiceStub(channel), "identity").head()


async def test_a_defect_of_the_other_service_counts_as_away() -> None:
    """Its next release mends it, so the reader goes on asking."""

    async def broken(_request: object, _context: object) -> None:
        raise ZeroDivisionError

    async with serving(fake(IDENTITY, ReadEvents=broken)) as channel:
        with pytest.raises(Unavailable) as refused:
            await GrpcFeed(IdentityServiceStub(channel), "identity").read(0, 1)
    assert isinstance(refused.value.__cause__, grpc.aio.AioRpcError)
