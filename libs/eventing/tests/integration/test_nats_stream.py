import logging

import pytest
from cortex_eventing.adapters.nats.connection import Nats
from cortex_testkit.contracts.stream_contract import StreamContract, StreamRig, publish, sample_events, taken

pytestmark = pytest.mark.integration


class TestNatsStream(StreamContract):
    """JetStream keeps the promises of a stream; the fixture `rig` is in conftest.py."""


async def test_a_strangers_message_is_told_without_its_words(
    nats: Nats, rig: StreamRig, caplog: pytest.LogCaptureFixture
) -> None:
    """It is on our subjects and no event of ours: passed over, and found by its sequence; its subject may be a name."""
    await rig.own.create()
    events = sample_events(3)
    await publish(rig.own, events[:1])
    await nats.jetstream.publish("cortex.v1._.box.Ada.box.filled", b"Ada")
    await publish(rig.own, events[1:], after=2)
    with caplog.at_level(logging.DEBUG, "cortex_eventing"):
        async with rig.source.open(0) as cursor:
            assert [message.sequence for message in await taken(cursor, 3)] == [1, 3, 4]
    assert [record.getMessage() for record in caplog.records] == ["message 2 of the stream BOXES is no event"]
