"""The fixtures: PostgreSQL and NATS for every test that names them.

- `postgres_dsn`: a superuser's connection string to the PostgreSQL of the test run.
- `database`: a migrated `DatabaseAccess` of this test's own. Which migrations: the fixture `migrations`, which a module
  or a conftest.py overrides.
- `module_database`: the same, shared by the tests of a module.
- `fresh_database`: makes further ones: `async with fresh_database("cortex_eventing.adapters") as access`.
- `nats_url`: the NATS of the test run, empty of streams before the test and after it.
- `own_postgres`, `own_nats`: servers of this test's own, to kill, restart and wipe.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import pytest
from cortex_runtime.adapters.embedded import NatsServer, PostgresServer, embedded_nats, embedded_postgres
from cortex_runtime.database import DatabaseAccess

from cortex_testkit.databases import TestDatabases
from cortex_testkit.servers import chosen_servers, nats_server, postgres_server
from cortex_testkit.streams import no_streams_left

FreshDatabase = Callable[..., AbstractAsyncContextManager[DatabaseAccess]]


@pytest.fixture(scope="session")
async def postgres_dsn() -> AsyncIterator[str]:
    """A superuser's connection string to the PostgreSQL of the test run."""
    async with postgres_server() as dsn:
        yield dsn


@pytest.fixture(scope="session")
async def fresh_database(postgres_dsn: str) -> AsyncIterator[FreshDatabase]:
    """`fresh_database(*packages)` is a context that holds a new database with those migrations applied."""
    databases = TestDatabases(postgres_dsn)
    yield databases.fresh
    await databases.drop_templates()


@pytest.fixture(scope="session")
def migrations() -> tuple[str, ...]:
    """The packages whose migrations `database` has beside the runtime's own. Override it where tests need some."""
    return ()


@pytest.fixture
async def database(fresh_database: FreshDatabase, migrations: tuple[str, ...]) -> AsyncIterator[DatabaseAccess]:
    """A migrated database of this test's own."""
    async with fresh_database(*migrations) as access:
        yield access


@pytest.fixture(scope="module")
async def module_database(fresh_database: FreshDatabase, migrations: tuple[str, ...]) -> AsyncIterator[DatabaseAccess]:
    """A migrated database of this module's own."""
    async with fresh_database(*migrations) as access:
        yield access


@pytest.fixture(scope="session")
async def shared_nats_url() -> AsyncIterator[str]:
    """The NATS of the test run, with whatever streams the tests of the moment have made."""
    async with nats_server() as url:
        yield url


@pytest.fixture
async def nats_url(shared_nats_url: str) -> AsyncIterator[str]:
    """The NATS of the test run; streams that the test makes go with it."""
    async with no_streams_left(shared_nats_url) as url:
        yield url


@pytest.fixture
async def own_postgres() -> AsyncIterator[PostgresServer]:
    """A PostgreSQL that this test may kill."""
    _need_embedded_servers()
    async with embedded_postgres() as server:
        yield server


@pytest.fixture
async def own_nats() -> AsyncIterator[NatsServer]:
    """A nats-server that this test may kill."""
    _need_embedded_servers()
    async with embedded_nats() as server:
        yield server


def _need_embedded_servers() -> None:
    if chosen_servers() != "embedded":
        pytest.skip("only servers of our own may be killed: CORTEX_TEST_SERVERS=embedded")
