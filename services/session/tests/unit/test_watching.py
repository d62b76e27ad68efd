import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta

import pytest
from cortex.session.v1.resources_pb2 import END_REASON_STOPPED, MESSAGE_TYPE_USER
from cortex.transcriber.v1.live_pb2 import LiveInterim
from cortex_eventing.checkpoints import Lane
from cortex_eventing.errors import Unavailable
from cortex_eventing.progress import Progress
from cortex_session.domain.ids import SessionId
from cortex_session.read_models.messages import MessageRow
from cortex_session.settling import Settling, Stage
from cortex_session.watched import (
    STRAGGLERS,
    Bell,
    CaughtUp,
    Change,
    NewestInterims,
    Over,
    SessionEnd,
    Shown,
    Speaking,
    Stored,
)
from cortex_session.watching import PAGE, MessageWatch
from cortex_testkit.clock import NOON, FrozenClock
from cortex_testkit.waiting import eventually

pytestmark = pytest.mark.unit

PROJECT = str(uuid.UUID(int=1))
ID = SessionId(uuid.UUID(int=2))
LANE = Lane("session", str(ID))
COMES_WITHIN = 10.0


class Rows:
    """A read model that a test writes to, with a projection that is as far as the test says."""

    def __init__(self) -> None:
        self.progress = Progress("rooms")
        self.rows: list[MessageRow] = []
        self.end: SessionEnd | None = None
        self.looks = 0
        self.heard = Progress("follow-speakers")
        self.stored_by_transcriber: int | None = 0

    async def transcriber_head(self) -> int:
        if self.stored_by_transcriber is None:
            raise Unavailable("the transcriber")
        return self.stored_by_transcriber

    def say(self, *positions: int) -> None:
        self.rows += [row(position) for position in positions]
        self.progress.moved(positions[-1], [LANE])

    def over(self, position: int, present: int = 0) -> None:
        self.end = SessionEnd(NOON, END_REASON_STOPPED, present)
        self.progress.moved(position, [LANE])

    async def shown(self, project_id: str, session_id: SessionId, after: int, limit: int) -> Shown:
        assert (project_id, session_id) == (PROJECT, ID)
        self.looks += 1
        return Shown(self.end, [row for row in self.rows if row.position > after][:limit])


class Live:
    """Interim texts that a test says; `heard` is there once somebody listens."""

    def __init__(self) -> None:
        self.heard: asyncio.Future[NewestInterims] = asyncio.get_running_loop().create_future()

    @asynccontextmanager
    async def of_session(
        self, _project_id: str, _session_id: SessionId, interims: NewestInterims
    ) -> AsyncIterator[None]:
        self.heard.set_result(interims)
        yield


def row(position: int) -> MessageRow:
    return MessageRow(
        project_id=uuid.UUID(PROJECT),
        session_id=ID,
        message_id=uuid.UUID(int=position),
        type=MESSAGE_TYPE_USER,
        participant_id=uuid.UUID(int=3),
        external_user_id="",
        sender_name="Ada",
        content=str(position),
        said_at=NOON,
        start_offset=timedelta(0),
        end_offset=timedelta(0),
        peer_id="phone",
        claim=1,
        confidence=1,
        language="en",
        model="scripted",
        utterance_id="",
        position=position,
    )


@pytest.fixture
def rows() -> Rows:
    """A read model."""
    return Rows()


@pytest.fixture
def clock() -> FrozenClock:
    """Stands still at the moment at which sessions end here."""
    return FrozenClock()


async def watching(
    rows: Rows,
    clock: FrozenClock,
    *,
    head: int = 0,
    after: int = 0,
    live: Live | None = None,
) -> AsyncIterator[Change]:
    """What a watcher is told; it fails when nothing comes for long."""

    async def ask_head() -> int:
        return head

    settling = Settling(Stage(rows.transcriber_head, rows.heard), Stage(ask_head, rows.progress))
    watch = MessageWatch(rows, settling, live=live or Live(), clock=clock)
    async with aclosing(watch.changes(PROJECT, ID, after, include_interim=live is not None)) as changes:
        while True:
            try:
                async with asyncio.timeout(COMES_WITHIN):
                    change = await anext(changes)
            except StopAsyncIteration:
                return
            yield change


async def told(changes: AsyncIterator[Change]) -> list[Change]:
    return [change async for change in changes]


async def test_history_is_read_page_by_page(rows: Rows, clock: FrozenClock) -> None:
    """Each message once, in the order of storing, whatever the pages' borders are."""
    rows.say(*range(1, 2 * PAGE + 1))
    rows.over(2 * PAGE + 1)
    changes = await told(watching(rows, clock, head=2 * PAGE + 1))
    assert changes[:-2] == [Stored(row(position)) for position in range(1, 2 * PAGE + 1)]
    assert changes[-2:] == [CaughtUp(2 * PAGE + 1), Over(END_REASON_STOPPED, 2 * PAGE + 1)]
    assert rows.looks == 3 + 1  # once more when presence is believed


async def test_only_what_comes_after_the_position_is_told(rows: Rows, clock: FrozenClock) -> None:
    """A resumed watch goes on where it stopped."""
    rows.say(1, 2, 3)
    rows.over(4)
    assert await told(watching(rows, clock, head=4, after=2)) == [
        Stored(row(3)),
        CaughtUp(4),
        Over(END_REASON_STOPPED, 4),
    ]


async def test_caught_up_waits_for_all_that_was_stored(rows: Rows, clock: FrozenClock) -> None:
    """A projection that lags behind the store is waited for: the marker is no guess."""
    rows.say(1)
    changes = watching(rows, clock, head=5)
    assert await anext(changes) == Stored(row(1))
    rows.say(5)
    assert [await anext(changes), await anext(changes)] == [Stored(row(5)), CaughtUp(5)]
    rows.over(6)
    assert await told(changes) == [Over(END_REASON_STOPPED, 6)]


async def test_the_marker_comes_when_only_others_were_heard_of(rows: Rows, clock: FrozenClock) -> None:
    """The store's last event may be another session's, for which nobody wakes this watcher."""
    rows.progress.moved(4, [])
    changes = watching(rows, clock, head=5)
    waiting = asyncio.ensure_future(anext(changes))
    await eventually(lambda: rows.looks)
    rows.progress.moved(5, [])
    assert await waiting == CaughtUp(5)
    rows.over(6)
    assert await told(changes) == [Over(END_REASON_STOPPED, 6)]


async def test_the_end_waits_for_last_words_as_long_as_somebody_is_there(rows: Rows, clock: FrozenClock) -> None:
    """When nobody is left, it is over at once."""
    rows.over(1, present=1)
    changes = watching(rows, clock, head=1)
    assert await anext(changes) == CaughtUp(1)
    rows.say(2)
    assert await anext(changes) == Stored(row(2))
    rows.over(3, present=0)
    assert await told(changes) == [Over(END_REASON_STOPPED, 3)]


async def test_the_end_waits_for_what_the_transcriber_has_stored(rows: Rows, clock: FrozenClock) -> None:
    """Nobody counts as in the room, because the reaction has not read yet who was there and what they said."""
    rows.stored_by_transcriber = 5
    rows.over(1, present=0)
    changes = watching(rows, clock)
    assert await anext(changes) == CaughtUp(1)
    rows.say(2)
    assert await anext(changes) == Stored(row(2))
    rows.heard.moved(5)
    assert await told(changes) == [Over(END_REASON_STOPPED, 2)]


async def test_the_end_waits_until_what_was_read_is_shown(rows: Rows) -> None:
    """The reaction has stored everything, and the read model is behind it."""
    head = 1

    async def ask_head() -> int:
        return head

    settling = Settling(Stage(rows.transcriber_head, rows.heard), Stage(ask_head, rows.progress))
    rows.stored_by_transcriber = 5
    rows.over(1, present=0)
    settled = asyncio.create_task(settling.settled())
    head = 3
    rows.heard.moved(5)
    rows.say(2)
    await asyncio.wait([settled], timeout=0.05)
    assert not settled.done()
    rows.say(3)
    async with asyncio.timeout(COMES_WITHIN):
        await settled


async def test_somebody_who_comes_to_light_after_the_end_is_waited_for(rows: Rows, clock: FrozenClock) -> None:
    """Presence is read anew once the reaction is as far as the transcriber."""
    rows.stored_by_transcriber = 5
    rows.over(1, present=0)
    changes = watching(rows, clock)
    assert await anext(changes) == CaughtUp(1)
    rows.over(2, present=1)
    rows.heard.moved(5)
    rows.say(3)
    assert await anext(changes) == Stored(row(3))
    rows.over(4, present=0)
    assert await told(changes) == [Over(END_REASON_STOPPED, 4)]


async def test_without_the_transcriber_the_end_waits_its_longest(rows: Rows, clock: FrozenClock) -> None:
    """What it stored is not known, so an empty room proves nothing."""
    rows.stored_by_transcriber = None
    rows.over(1, present=0)
    changes = watching(rows, clock)
    assert await anext(changes) == CaughtUp(1)
    rows.say(2)
    assert await anext(changes) == Stored(row(2))
    clock.advance(STRAGGLERS)
    rows.over(3, present=0)
    assert await told(changes) == [Over(END_REASON_STOPPED, 3)]


async def test_the_end_does_not_wait_for_ever(rows: Rows, clock: FrozenClock) -> None:
    """Somebody whose leaving nobody reports is waited for only so long."""
    clock.advance(STRAGGLERS)
    rows.over(1, present=1)
    assert await told(watching(rows, clock, head=1)) == [CaughtUp(1), Over(END_REASON_STOPPED, 1)]


async def test_the_end_comes_without_anything_being_stored(rows: Rows, clock: FrozenClock) -> None:
    """Nobody wakes the watcher at the end of the wait but itself."""
    clock.advance(STRAGGLERS - timedelta(milliseconds=50))
    rows.over(1, present=1)
    changes = watching(rows, clock, head=1)
    assert await anext(changes) == CaughtUp(1)
    clock.advance(timedelta(milliseconds=50))
    assert await told(changes) == [Over(END_REASON_STOPPED, 1)]


async def test_interim_texts_come_between(rows: Rows, clock: FrozenClock) -> None:
    """Of each peer the newest, once, without another look at the rows."""
    live = Live()
    changes = watching(rows, clock, live=live)
    assert await anext(changes) == CaughtUp(0)
    interims, looks = await live.heard, rows.looks
    for peer_id, text in (("phone", "h"), ("laptop", "yes"), ("phone", "hello")):
        interims.heard(LiveInterim(peer_id=peer_id, text=text))
    assert [await anext(changes), await anext(changes)] == [
        Speaking(LiveInterim(peer_id="phone", text="hello")),
        Speaking(LiveInterim(peer_id="laptop", text="yes")),
    ]
    assert rows.looks == looks
    rows.over(1)
    assert await told(changes) == [Over(END_REASON_STOPPED, 1)]


def test_interims_of_a_slow_watcher_do_not_pile_up() -> None:
    """However much is said, one text of each peer is kept."""
    interims = NewestInterims(Bell())
    for number in range(1000):
        interims.heard(LiveInterim(peer_id=f"peer {number % 2}", text=f"{number}"))
    assert [interim.text for interim in interims.take()] == ["998", "999"]
    assert list(interims.take()) == []
