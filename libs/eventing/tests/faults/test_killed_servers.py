"""PostgreSQL and nats-server are killed under relay and projection: nothing is lost, nothing counts twice."""

import pytest
from cortex_eventing.errors import Unavailable
from cortex_eventing.role_state import Condition
from cortex_runtime.adapters.embedded import NatsServer, PostgresServer
from cortex_runtime.adapters.migrations import migrate
from cortex_runtime.adapters.roles import create_service_database
from cortex_runtime.database import DatabaseAccess
from cortex_testkit.box_service import BoxService, amounts, box_service
from cortex_testkit.projecting import rows_of
from cortex_testkit.sample_events import BoxFilled
from cortex_testkit.sample_tables import make_sample_tables
from cortex_testkit.waiting import eventually
from cortex_testkit.whole_streams import messages_in

pytestmark = pytest.mark.faults


@pytest.fixture
async def own_database(own_postgres: PostgresServer) -> DatabaseAccess:
    """A database on a server that this test may kill."""
    access = await create_service_database(own_postgres.dsn, "boxes")
    await migrate(access, "cortex_eventing.adapters")
    await make_sample_tables(access)
    return access


async def fill_boxes(service: BoxService, amount: int = 1) -> int:
    """Put something into each of a hundred boxes, whatever it takes; the last position."""
    events = [BoxFilled(box_id=f"box-{number}", amount=amount) for number in range(100)]
    return await service.add(*events)


async def check(service: BoxService, access: DatabaseAccess, amount: int) -> None:
    """Every box holds exactly so much, and the stream each stored event once."""
    await service.seen(await service.store.head())
    assert set(amounts(await rows_of(access, "boxes")).values()) == {amount}
    stored = (await service.store.read(0, 10_000)).events
    await eventually(lambda: _streamed(service, len(stored)))
    assert [message.event for message in await messages_in(service.source)] == list(stored)


class WhenNatsIsKilled:
    async def test_commands_and_own_projections_go_on(
        self, boxes_database: DatabaseAccess, own_nats: NatsServer
    ) -> None:
        """NATS is away: events are stored and folded from the store; when it is back the stream is completed."""
        async with box_service(boxes_database, own_nats.url) as service:
            await service.seen(await fill_boxes(service))
            await own_nats.kill()
            await service.seen(await fill_boxes(service))
            await own_nats.restart()
            await service.seen(await fill_boxes(service))
            await check(service, boxes_database, 3)

    async def test_it_dies_with_messages_in_flight(self, boxes_database: DatabaseAccess, own_nats: NatsServer) -> None:
        """What was on its way is published again or is there, never both."""
        async with box_service(boxes_database, own_nats.url) as service:
            for _ in range(3):
                await fill_boxes(service)
                await own_nats.kill()
                await fill_boxes(service)
                await own_nats.restart()
            await check(service, boxes_database, 6)

    async def test_it_loses_everything(self, boxes_database: DatabaseAccess, own_nats: NatsServer) -> None:
        """The stream is filled again from the store, and readers are not disturbed."""
        async with box_service(boxes_database, own_nats.url) as service:
            await service.seen(await fill_boxes(service))
            await own_nats.kill()
            await own_nats.wipe()
            await own_nats.start()
            await service.seen(await fill_boxes(service))
            await check(service, boxes_database, 2)

    async def test_it_is_away_at_the_start(self, boxes_database: DatabaseAccess, own_nats: NatsServer) -> None:
        """A service starts without it, says so, and finds it later."""
        await own_nats.kill()
        async with box_service(boxes_database, own_nats.url) as service:
            await service.seen(await fill_boxes(service))
            await eventually(lambda: service.reports.of("relay").state.condition is Condition.WAITING)
            await own_nats.restart()
            await check(service, boxes_database, 1)
            assert service.reports.of("relay").state.condition is Condition.WORKING


class WhenPostgresIsKilled:
    async def test_roles_wait_and_go_on(
        self, own_database: DatabaseAccess, own_postgres: PostgresServer, nats_url: str
    ) -> None:
        """Every role is back by itself, and the rows are right."""
        async with box_service(own_database, nats_url) as service:
            await service.seen(await fill_boxes(service))
            await own_postgres.kill()
            await eventually(lambda: service.reports.of("projection").state.condition is Condition.WAITING)
            with pytest.raises(Unavailable):
                async with service.views.project("11111111-1111-4111-8111-111111111111"):
                    pass
            await own_postgres.restart()
            await eventually(lambda: _stores(service))
            await check(service, own_database, 2)


class WhenAReplicaIsGone:
    async def test_another_takes_over(self, boxes_database: DatabaseAccess, nats_url: str) -> None:
        """The seat is free at once when its holder ends, and those who wait on the other replica see progress."""
        async with box_service(boxes_database, nats_url) as other:
            await eventually(lambda: other.reports.of("relay").state.condition is Condition.WORKING)
            async with box_service(boxes_database, nats_url) as waiting:
                assert waiting.reports.of("relay").state.condition is Condition.STANDBY
                await waiting.seen(await fill_boxes(waiting))
            await other.seen(await fill_boxes(other))
        async with box_service(boxes_database, nats_url) as successor:
            await successor.seen(await fill_boxes(successor))
            await check(successor, boxes_database, 3)


async def _streamed(service: BoxService, count: int) -> bool:
    try:
        end = await service.stream.end()
    except Unavailable:
        return False
    return end is not None and end.last_sequence >= count


async def _stores(service: BoxService) -> bool:
    try:
        await fill_boxes(service)
    except Unavailable:
        return False
    return True
