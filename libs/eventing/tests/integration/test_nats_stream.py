import logging
from collections.abc import Mapping
from typing import Any

import pytest
from cortex_eventing.adapters.nats.connection import Nats
from cortex_eventing.adapters.nats.messages import Envelopes
from cortex_eventing.adapters.nats.stream import NatsStream, StreamSettings
from cortex_eventing.catalogue import Catalogue
from cortex_testkit.contracts.stream_contract import StreamContract, StreamRig, publish, sample_events, taken
from cortex_testkit.sample_events import BoxFilled, BoxOpened
from nats.js.api import DiscardPolicy, StorageType, StreamConfig

pytestmark = pytest.mark.integration

CATALOGUE = Catalogue((BoxOpened, BoxFilled))
NAME = "BOXES"


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


class WhenAStreamIsThereAlready:
    """Made by an earlier release, or changed by somebody since."""

    async def test_it_gets_the_settings_of_today(self, nats: Nats) -> None:
        """Its messages stay; the last one is never thrown away for its age or its number."""
        stream = await older(
            *(nats, {"max_bytes": 10**6, "max_age": 3600, "max_msgs": 100, "max_msgs_per_subject": 50}),
            {"max_msg_size": 10_000, "discard": DiscardPolicy.NEW, "discard_new_per_subject": True},
            {"allow_direct": False},
        )
        await publish(stream, sample_events(3))
        await stream.create()
        config = await config_of(nats)
        assert (config.max_bytes, config.max_age, config.max_msgs) == (2 * 10**6, 0, -1)
        assert (config.max_msgs_per_subject, config.max_msg_size) == (-1, -1)
        assert (config.discard, config.discard_new_per_subject, config.allow_direct) == ("old", False, True)
        end = await stream.end()
        assert end is not None
        assert end.last_sequence == 3

    async def test_a_smaller_limit_is_taken_over_too(self, nats: Nats) -> None:
        """Whoever lowers it wants the disk back; readers that are that far behind use the feed."""
        stream = await older(nats, {"max_bytes": 10**8})
        await stream.create()
        assert (await config_of(nats)).max_bytes == 2 * 10**6

    async def test_what_is_an_operators_stays(self, nats: Nats) -> None:
        """The duplicate window, which no message of ours meets, a description, subjects of another release."""
        theirs = {"duplicate_window": 60, "description": "ours", "subjects": ["elsewhere", *CATALOGUE.filters()]}
        stream = await older(nats, {**theirs, "max_bytes": 10**6})
        await stream.create()
        config = await config_of(nats)
        assert (config.duplicate_window, config.description, config.max_bytes) == (60, "ours", 2 * 10**6)
        assert "elsewhere" in (config.subjects or ())

    async def test_a_stream_that_others_manage_is_left_alone(
        self, nats: Nats, caplog: pytest.LogCaptureFixture
    ) -> None:
        """They are told what is wrong with it, once."""
        stream = await older(nats, {"max_age": 3600}, manage=False)
        for _ in range(2):
            await stream.create()
        assert (await config_of(nats)).max_age == 3600
        assert [record.getMessage() for record in caplog.records] == [
            "stream BOXES is not as it should be: whoever manages it should set max_bytes, max_age"
        ]

    async def test_what_the_server_cannot_change_is_said(self, nats: Nats, caplog: pytest.LogCaptureFixture) -> None:
        """The rest is mended all the same, and the stream is published to."""
        stream = await older(nats, {"storage": StorageType.MEMORY, "deny_delete": True, "max_age": 3600})
        await stream.create()
        assert (await config_of(nats)).max_age == 0
        assert await publish(stream, sample_events(3)) == 3
        assert ["only a new stream can have another storage, deny_delete" in each for each in caplog.messages] == [True]

    async def test_what_the_server_refuses_stops_nothing(self, nats: Nats, caplog: pytest.LogCaptureFixture) -> None:
        """More than its disk holds, for instance: the stream goes on without that."""
        stream = await older(nats, {"max_bytes": 10**6, "max_age": 3600}, max_bytes=10**16)
        await stream.create()
        config = await config_of(nats)
        assert (config.max_bytes, config.max_age) == (10**6, 0)
        assert await publish(stream, sample_events(3)) == 3
        assert ["the server refuses to change max_bytes: insufficient storage" in each for each in caplog.messages] == [
            True
        ]


async def older(nats: Nats, *config: Mapping[str, Any], max_bytes: int = 2 * 10**6, manage: bool = True) -> NatsStream:
    """A stream with this configuration, and the adapter that wants another one."""
    values: dict[str, Any] = {"subjects": CATALOGUE.filters(), "allow_direct": True}
    for some in config:
        values |= some
    await nats.jetstream.add_stream(StreamConfig(name=NAME, **values))
    settings = StreamSettings(NAME, CATALOGUE.filters(), max_bytes=max_bytes, manage=manage)
    return NatsStream(nats, settings, Envelopes(CATALOGUE, "boxes"))


async def config_of(nats: Nats) -> StreamConfig:
    """How the server has the stream."""
    return (await nats.jetstream.stream_info(NAME)).config
