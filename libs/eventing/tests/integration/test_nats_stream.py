import pytest
from cortex_testkit.contracts.stream_contract import StreamContract

pytestmark = pytest.mark.integration


class TestNatsStream(StreamContract):
    """JetStream keeps the promises of a stream; the fixture `rig` is in conftest.py."""
