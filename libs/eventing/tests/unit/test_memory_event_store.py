import pytest
from cortex_eventing.adapters.memory import MemoryEventStore
from cortex_testkit.contracts.appends import CATALOGUE
from cortex_testkit.contracts.event_store import EventStoreContract

pytestmark = pytest.mark.unit


class TestMemoryEventStore(EventStoreContract):
    """The store in memory keeps the contract of the one on PostgreSQL."""

    @pytest.fixture
    def store(self) -> MemoryEventStore:
        """An empty store."""
        return MemoryEventStore(CATALOGUE)
