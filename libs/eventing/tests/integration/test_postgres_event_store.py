import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest
from cortex_eventing.adapters.postgres import claim_table, connections
from cortex_eventing.adapters.postgres.batch_writer import BatchWriter
from cortex_eventing.adapters.postgres.connections import BoundedAsyncConnection
from cortex_eventing.adapters.postgres.event_store import PostgresEventStore
from cortex_eventing.adapters.postgres.listener import Listener
from cortex_eventing.claims import ClaimedValue
from cortex_eventing.errors import Unavailable
from cortex_eventing.ports import Appended
from cortex_runtime.database import DatabaseAccess
from cortex_testkit.contracts.appends import CATALOGUE, Box
from cortex_testkit.contracts.event_store import EventStoreContract
from cortex_testkit.waiting import DEADLINE

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


class WhenSomethingInsideFails:
    """A defect is loud: the service ends instead of going on half deaf."""

    async def test_a_listener_that_dies_ends_the_body(
        self, module_database: DatabaseAccess, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The poll would hide it for ever."""

        async def stumble(_listener: Listener, _connection: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(Listener, "_listen", stumble)
        with pytest.raises(ZeroDivisionError):
            async with asyncio.timeout(DEADLINE), PostgresEventStore(module_database.writer_dsn, CATALOGUE, SECRET):
                await asyncio.Event().wait()

    async def test_a_commit_thread_that_dies_ends_the_body(
        self, module_database: DatabaseAccess, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its caller hears of it too, and does not wait for ever."""
        monkeypatch.setattr(BatchWriter, "write", lambda _writer, batch: [None] * (len(batch) + 1))
        answers: list[asyncio.Future[Appended]] = []

        async def commit_and_go_on() -> None:
            async with PostgresEventStore(module_database.writer_dsn, CATALOGUE, SECRET) as store:
                answers.append(store.commit(Box.new().append(0)))
                await asyncio.Event().wait()

        with pytest.raises(ValueError, match="zip"):
            await asyncio.wait_for(commit_and_go_on(), DEADLINE)
        assert isinstance(answers[0].exception(), ValueError)


async def test_claims_are_replaced_in_their_own_time(database: DatabaseAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large store needs longer for all its claims than any request may take, and more than one step."""
    monkeypatch.setattr(connections, "_SESSION", f"{connections._SESSION}; SET statement_timeout = '50ms'")
    monkeypatch.setattr(BoundedAsyncConnection, "answer_within", 0.1)
    monkeypatch.setattr(claim_table, "STEP", 2)
    async with await psycopg.AsyncConnection.connect(database.owner_dsn, autocommit=True) as owner:
        await owner.execute(
            "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_sleep(0.2); RETURN NULL; END $$"
        )
        await owner.execute("CREATE TRIGGER slow BEFORE INSERT ON claims EXECUTE FUNCTION dawdle()")
    held = {ClaimedValue("p", "shelf", f"{number}"): f"owner {number}" for number in range(5)}
    async with PostgresEventStore(database.writer_dsn, CATALOGUE, SECRET) as store:
        with pytest.raises(Unavailable):
            await store._pool.fetch("SELECT pg_sleep(0.2)", [])
        assert await store.replace_claims(0, held)
        assert [await store.claim_owner("p", "shelf", f"{number}") for number in range(5)] == list(held.values())


class TestPostgresEventStore(EventStoreContract):
    """The store on PostgreSQL keeps the contract."""
