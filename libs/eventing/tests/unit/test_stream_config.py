import pytest
from cortex_eventing.adapters.nats.stream_config import mending
from nats.js.api import StreamConfig

pytestmark = pytest.mark.unit


def test_copies_are_added_and_never_taken_away() -> None:
    """Fewer would be less than an operator saw to."""
    one, three = StreamConfig(num_replicas=1), StreamConfig(num_replicas=3)
    assert mending(one, three) == {"num_replicas": 3}
    assert mending(three, one) == {}
