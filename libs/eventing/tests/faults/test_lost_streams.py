"""Whatever is done to a stream, its relay makes it a copy of the store again, without a double."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from cortex_eventing import relay as relay_module
from cortex_eventing.adapters.nats.connection import Nats
from cortex_eventing.failpoints import RAISE, FailpointReached, armed
from cortex_eventing.relay import Relay
from cortex_eventing.role_state import Condition, Report
from cortex_testkit.contracts.stream_contract import StreamRig
from cortex_testkit.event_log import EventLog
from cortex_testkit.projecting import fill, head, role
from cortex_testkit.sample_events import BoxFilled
from cortex_testkit.waiting import eventually
from cortex_testkit.whole_streams import check_copy, filled_up_to, messages_in
from nats.js.api import DiscardPolicy

from libs.eventing.tests.conftest import boxes_stream

pytestmark = pytest.mark.faults

Relaying = Callable[[], AbstractAsyncContextManager[Report]]


@pytest.fixture
def relaying(log: EventLog, rig: StreamRig) -> Relaying:
    """Runs a relay as a replica would."""

    @asynccontextmanager
    async def run() -> AsyncIterator[Report]:
        async with role(Relay(log, rig.own, refill="boxes refill").run) as report:
            yield report

    return run


@pytest.fixture
async def filled(log: EventLog, rig: StreamRig, relaying: Relaying) -> None:
    """A relay has filled the stream, and has ended."""
    fill(log, 300)
    async with relaying():
        await filled_up_to(rig.own, head(log))


@pytest.fixture
def watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Relays look at the stream's end much more often than usual."""
    monkeypatch.setattr(relay_module, "LOOK_AGAIN", 0.05)


@pytest.mark.usefixtures("filled")
class WhenTheRelayWasAway:
    async def test_a_lost_tail_is_published_again(self, log: EventLog, rig: StreamRig, relaying: Relaying) -> None:
        """The last message that is left says where to go on."""
        await rig.vandal.remove(*range(251, 301))
        async with relaying():
            fill(log, 20, seed=2)
            await filled_up_to(rig.own, head(log))
        await check_copy(rig.source, log)

    async def test_a_purged_subject_is_a_hole(self, log: EventLog, rig: StreamRig, relaying: Relaying) -> None:
        """Nothing is published twice for it; readers go to the feed."""
        gone = {message.event.position for message in await messages_in(rig.source) if b"box-3" in message.event.data}
        await rig.vandal.remove(
            *(message.sequence for message in await messages_in(rig.source) if message.event.position in gone)
        )
        log.add(BoxFilled(box_id="last", amount=1))
        async with relaying():
            await filled_up_to(rig.own, head(log))
        tail = max(event.position for event in log.events[:-1] if event.position not in gone)
        await check_copy(rig.source, log, holes=[position for position in gone if position < tail])

    async def test_an_emptied_stream_is_an_alarm_until_somebody_decides(
        self, log: EventLog, rig: StreamRig, relaying: Relaying
    ) -> None:
        """Nobody empties a stream by accident and wants it back in silence: deleting it is the operator's word."""
        await rig.vandal.purge()
        async with relaying() as report:
            await eventually(lambda: report.state.condition is Condition.ALARMED)
            assert "boxes refill" in report.state.why
            log.add(BoxFilled(box_id="b", amount=1))
            assert await messages_in(rig.source) == []
            await rig.vandal.delete()
            await filled_up_to(rig.own, head(log))
        await check_copy(rig.source, log)

    async def test_a_deleted_stream_is_filled_from_the_beginning(
        self, log: EventLog, rig: StreamRig, relaying: Relaying
    ) -> None:
        """A wiped broker needs no operator."""
        await rig.vandal.delete()
        async with relaying():
            await filled_up_to(rig.own, head(log))
        await check_copy(rig.source, log)

    @pytest.mark.parametrize("events", [0, 100, 500], ids=["wiped", "restored older", "replaced"])
    async def test_a_stream_of_another_store_gets_nothing(self, rig: StreamRig, events: int) -> None:
        """A store that does not hold the stream's last event has lost it, or was never its store."""
        before = await messages_in(rig.source)
        other = EventLog("other", burn_positions=False)
        fill(other, events, seed=9)
        async with role(Relay(other, rig.own).run) as report:
            await eventually(lambda: report.state.condition is Condition.ALARMED)
            assert "not of this store" in report.state.why
        assert await messages_in(rig.source) == before

    @pytest.mark.parametrize("headers", [{}, {"ce-position": "seven"}, {"ce-position": "7", "ce-id": "no uuid"}])
    async def test_a_stranger_at_the_end_is_an_alarm(
        self, nats: Nats, relaying: Relaying, headers: dict[str, str]
    ) -> None:
        """Whatever somebody else published there, it is said and kills nobody."""
        await nats.client.publish("cortex.v1.p.box.b.box.opened", b"not ours", headers=headers)
        await nats.client.flush()
        async with relaying() as report:
            await eventually(lambda: report.state.condition is Condition.ALARMED)
            assert "not of this store" in report.state.why

    async def test_a_full_stream_is_waited_for_and_said(self, nats: Nats, log: EventLog, rig: StreamRig) -> None:
        """A broker that refuses for its own reasons is no second relay: trying at once would only keep it busy."""
        info = await nats.jetstream.stream_info(rig.own.name)
        full = info.config.evolve(max_msgs=info.state.messages, discard=DiscardPolicy.NEW)
        await nats.jetstream.update_stream(full)
        log.add(BoxFilled(box_id="one-too-many", amount=1))
        async with role(Relay(log, boxes_stream(nats, manage=False)).run) as report:
            await eventually(lambda: report.state.condition is Condition.WAITING)
            assert "maximum messages" in report.state.why
            await nats.jetstream.update_stream(info.config)
            await filled_up_to(rig.own, head(log))
        await check_copy(rig.source, log)


@pytest.mark.usefixtures("watchful")
class WhenTheRelayIsIdle:
    async def test_it_notices_a_lost_tail(self, log: EventLog, rig: StreamRig, relaying: Relaying) -> None:
        """Deletions do not change the stream's count and the fence passes them: only a look shows them."""
        fill(log, 50)
        async with relaying():
            await filled_up_to(rig.own, head(log))
            await rig.vandal.remove(49, 50)
            await filled_up_to(rig.own, head(log))
        await check_copy(rig.source, log)

    async def test_it_notices_that_the_stream_is_gone(self, log: EventLog, rig: StreamRig, relaying: Relaying) -> None:
        """No event needs to happen for the stream to be filled again."""
        fill(log, 50)
        async with relaying():
            await filled_up_to(rig.own, head(log))
            await rig.vandal.delete()
            await filled_up_to(rig.own, head(log))
        await check_copy(rig.source, log)

    async def test_it_notices_that_the_stream_was_emptied(
        self, log: EventLog, rig: StreamRig, relaying: Relaying
    ) -> None:
        """An alarm, as at the start."""
        fill(log, 50)
        async with relaying() as report:
            await filled_up_to(rig.own, head(log))
            await rig.vandal.purge()
            await eventually(lambda: report.state.condition is Condition.ALARMED)
        assert await messages_in(rig.source) == []


class WhenTheRelayIsBusy:
    async def test_the_stream_is_deleted_under_it(self, log: EventLog, rig: StreamRig, relaying: Relaying) -> None:
        """In the middle of a window: refused, read again, filled again."""
        fill(log, 3_000)
        async with relaying():
            await eventually(lambda: _sequence(rig, 500))
            await rig.vandal.delete()
            await filled_up_to(rig.own, head(log))
        await check_copy(rig.source, log)

    async def test_two_relays_at_once(self, log: EventLog, rig: StreamRig, relaying: Relaying) -> None:
        """Elections overlap: the fence keeps both from storing anything twice."""
        async with relaying(), relaying():
            for chunk in range(10):
                fill(log, 200, seed=chunk)
                await asyncio.sleep(0)
            await filled_up_to(rig.own, head(log))
        await check_copy(rig.source, log)

    @pytest.mark.parametrize("chunk", [1, 2, 5, 9])
    async def test_it_dies_between_publishing_and_the_answer(
        self, log: EventLog, rig: StreamRig, relaying: Relaying, chunk: int
    ) -> None:
        """The next relay does not know what arrived, and asks the stream."""
        fill(log, 600)
        with armed("relay.chunk_sent", RAISE, only_pass=chunk), pytest.raises(FailpointReached):
            await _run_until_it_dies(relaying)
        async with relaying():
            await filled_up_to(rig.own, head(log))
        await check_copy(rig.source, log)

    async def test_a_lone_event_that_nobody_announces(self, log: EventLog, rig: StreamRig, relaying: Relaying) -> None:
        """A NOTIFY that is lost costs a poll."""
        async with relaying():
            await eventually(lambda: _sequence(rig, 0))
            log.silent = True
            log.add(BoxFilled(box_id="b", amount=1))
            await filled_up_to(rig.own, head(log))
        await check_copy(rig.source, log)


async def _run_until_it_dies(relaying: Relaying) -> None:
    async with relaying():
        await asyncio.Event().wait()


async def _sequence(rig: StreamRig, sequence: int) -> bool:
    end = await rig.own.end()
    return end is not None and end.last_sequence >= sequence
