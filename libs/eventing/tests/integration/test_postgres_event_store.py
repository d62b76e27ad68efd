from collections.abc import AsyncIterator

import pytest
from cortex_eventing.adapters.postgres.event_store import PostgresEventStore
from cortex_runtime.database import DatabaseAccess
from cortex_testkit.contracts.appends import CATALOGUE
from cortex_testkit.contracts.event_store import EventStoreContract

pytestmark = pytest.mark.integration

SECRET = b"a key for tests only"


@pytest.fixture(scope="session")
def migrations() -> tuple[str, ...]:
    """The event store's own tables."""
    return ("cortex_eventing.adapters",)


@pytest.fixture(scope="module")
async def store(module_database: DatabaseAccess) -> AsyncIterator[PostgresEventStore]:
    """One store for all these tests."""
    async with PostgresEventStore(module_database.writer_dsn, CATALOGUE, SECRET) as store:
        yield store


class TestPostgresEventStore(EventStoreContract):
    """The store on PostgreSQL keeps the contract."""
