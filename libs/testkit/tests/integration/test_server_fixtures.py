"""What a test gets when it names one of the fixtures."""

from collections.abc import AsyncIterator

import nats
import pytest
from cortex_runtime.database import DatabaseAccess
from cortex_testkit.databases import TestDatabases, database_name
from cortex_testkit.fixtures import FreshDatabase
from cortex_testkit.streams import no_streams_left
from nats.aio.client import Client
from psycopg import AsyncConnection

pytestmark = pytest.mark.integration


async def names(dsn: str, question: str) -> set[object]:
    """The first column."""
    async with await AsyncConnection.connect(dsn) as connection:
        return {name for (name,) in await (await connection.execute(question)).fetchall()}


@pytest.mark.parametrize("turn", [1, 2])
async def test_each_test_has_a_database_of_its_own(database: DatabaseAccess, turn: int) -> None:
    """The second turn finds nothing of the first one's table."""
    async with await AsyncConnection.connect(database.owner_dsn) as connection:
        await connection.execute("CREATE TABLE mine AS SELECT 1")
    assert await names(database.owner_dsn, "SELECT count(*) FROM mine") == {1}
    assert turn in {1, 2}


async def test_a_copy_is_migrated_and_closed_to_others(database: DatabaseAccess) -> None:
    """It has the runtime's tables, and only the roles may connect."""
    tables = await names(database.writer_dsn, "SELECT relname FROM pg_class WHERE relname = 'cortex_migrations'")
    assert tables == {"cortex_migrations"}
    grants = "SELECT count(*) FROM pg_database, aclexplode(datacl) WHERE datname = current_database() AND grantee = 0"
    assert await names(database.writer_dsn, grants) == {0}


@pytest.fixture(scope="module")
def seen() -> set[str]:
    """The databases that the two tests below were given."""
    return set()


@pytest.mark.parametrize("turn", [1, 2])
async def test_a_module_can_share_one(module_database: DatabaseAccess, seen: set[str], turn: int) -> None:
    """Both turns get the same database."""
    seen.add(database_name(module_database.writer_dsn))
    assert len(seen) == 1
    assert turn in {1, 2}


async def test_a_test_can_have_further_ones(database: DatabaseAccess, fresh_database: FreshDatabase) -> None:
    """Two services in one test have a database each."""
    async with fresh_database() as other:
        assert database_name(other.writer_dsn) != database_name(database.writer_dsn)


async def test_leaves_no_database_and_no_role(postgres_dsn: str) -> None:
    """A server of somebody else's is left as it was found."""
    databases, roles = "SELECT datname FROM pg_database", "SELECT rolname FROM pg_roles"
    before = await names(postgres_dsn, databases), await names(postgres_dsn, roles)
    made = TestDatabases(postgres_dsn)
    async with made.fresh() as access:
        assert database_name(access.reader_dsn) in await names(postgres_dsn, databases)
    await made.drop_templates()
    assert (await names(postgres_dsn, databases), await names(postgres_dsn, roles)) == before


@pytest.fixture
async def client(nats_url: str) -> AsyncIterator[Client]:
    connection = await nats.connect(nats_url)
    yield connection
    await connection.close()


async def test_streams_go_with_the_test_that_made_them(nats_url: str, client: Client) -> None:
    """What was there before stays, what was made in the meantime goes."""
    jetstream = client.jetstream()
    await jetstream.add_stream(name="before", subjects=["before"])
    async with no_streams_left(nats_url):
        await jetstream.add_stream(name="meanwhile", subjects=["meanwhile"])
    assert [info.config.name for info in await jetstream.streams_info()] == ["before"]


async def test_finds_no_stream_of_another_test(client: Client) -> None:
    """The stream `before` of the test above went with it."""
    assert await client.jetstream().streams_info() == []
