import asyncio
import uuid
from collections.abc import Callable

import pytest
from cortex_eventing.adapters.memory import MemoryEventStore
from cortex_eventing.command_handling import ATTEMPTS, CommandHandling, Done
from cortex_eventing.errors import (
    AlreadyExists,
    ClaimTaken,
    Contended,
    Impossible,
    InvalidInput,
    NotFound,
    Unavailable,
    WrongState,
)
from cortex_eventing.ports import AggregateHistory, Append, Appended, Outcome
from cortex_eventing.recorded import Origin
from cortex_testkit.boxes import BOXES, ROOM, Box, BoxCommand, FillBox, OpenBox
from cortex_testkit.clock import FrozenClock
from cortex_testkit.contracts.appends import CATALOGUE, OTHER_PROJECT, PROJECT, request
from google.protobuf.message import Message

pytestmark = pytest.mark.unit

MINE, THEIRS = Origin(PROJECT), Origin(OTHER_PROJECT)
Handling = CommandHandling[BoxCommand, Box, Message]


class SlowStore(MemoryEventStore):
    """A store whose answers come when the test lets them, and are what the test makes of them."""

    def __init__(self) -> None:
        super().__init__(CATALOGUE)
        self.commits: list[Append] = []
        self.withheld: list[Callable[[], None]] = []
        self.answer: Callable[[Appended], Appended | Exception] = lambda appended: appended
        self.withholds = False
        self.looked_for: list[uuid.UUID] = []
        self.handed_over = asyncio.Event()

    def commit(self, append: Append, deadline: float | None = None) -> asyncio.Future[Appended]:
        """Store at once, and answer at once or when released."""
        self.commits.append(append)
        told = self.answer(super().commit(append, deadline).result())
        future: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()

        def tell() -> None:
            future.set_exception(told) if isinstance(told, Exception) else future.set_result(told)

        if self.withholds:
            self.withheld.append(tell)
            self.handed_over.set()
        else:
            tell()
        return future

    async def history(self, aggregate_id: uuid.UUID) -> AggregateHistory:
        """Read an aggregate, and take note."""
        self.looked_for.append(aggregate_id)
        return await super().history(aggregate_id)


@pytest.fixture
def store() -> SlowStore:
    """An empty store."""
    return SlowStore()


@pytest.fixture
def boxes(store: SlowStore) -> Handling:
    """One replica's handling of boxes."""
    return CommandHandling(BOXES, store, FrozenClock())


@pytest.fixture
def elsewhere(store: SlowStore) -> Handling:
    """Another replica's, over the same store."""
    return CommandHandling(BOXES, store, FrozenClock())


async def opened(boxes: Handling, *, full: bool = False) -> uuid.UUID:
    """A box that is open, and full if asked for."""
    box = uuid.uuid4()
    await boxes.handle(OpenBox(box), MINE)
    if full:
        await boxes.handle(FillBox(box, ROOM), MINE)
    return box


class WhenCarriedOut:
    async def test_the_answer_tells_state_version_and_position(self, boxes: Handling) -> None:
        """A command that leads to events answers with the state after them and where to read it."""
        box = uuid.uuid4()
        done = await boxes.handle(OpenBox(box, "tools"), MINE)
        assert (done.state, done.version, done.position, done.repeated) == (Box("tools"), 1, 1, False)
        assert (done.aggregate_id, done.resource_id, len(done.events)) == (box, str(box), 1)
        done = await boxes.handle(FillBox(box, 3), MINE)
        assert (done.state, done.version, done.position) == (Box("tools", 3), 2, 2)
        assert await boxes.load(box, PROJECT) == (Box("tools", 3), 2)

    async def test_what_is_new_is_not_looked_for(self, boxes: Handling, store: SlowStore) -> None:
        """A command that creates an aggregate is decided and stored without a look at the store."""
        await opened(boxes)
        assert not store.looked_for

    async def test_what_is_not_cached_is_not_taken_for_new_in_the_end(
        self, boxes: Handling, elsewhere: Handling, store: SlowStore
    ) -> None:
        """A replica that does not know an aggregate neither creates it twice nor misses it."""
        box = await opened(boxes)
        with pytest.raises(AlreadyExists):
            await elsewhere.handle(OpenBox(box), MINE)
        assert store.looked_for == [box]
        assert (await elsewhere.handle(FillBox(box, 1), MINE)).version == 2
        assert await store.head() == 2

    async def test_a_rejection_stores_nothing_and_frees_the_turn(self, boxes: Handling, store: SlowStore) -> None:
        """After a refusal the store is as it was, and the next command has its turn."""
        box = await opened(boxes)
        with pytest.raises(WrongState, match="full"):
            await boxes.handle(FillBox(box, ROOM + 1), MINE, request())
        assert await store.head() == 1
        assert (await boxes.handle(FillBox(box, 1), MINE)).version == 2

    async def test_a_command_that_changes_nothing_answers_with_the_head(self, boxes: Handling) -> None:
        """Nothing to do is no error: the answer holds the state and the store's head."""
        box = await opened(boxes)
        await opened(boxes)
        done = await boxes.handle(FillBox(box, 0), MINE)
        assert (done.state, done.version, done.position, list(done.events)) == (Box("plain"), 1, 2, [])

    async def test_many_at_once_take_turns(self, boxes: Handling, store: SlowStore) -> None:
        """Commands on one aggregate of one process are decided one after the other and never conflict."""
        box = await opened(boxes)
        done = await asyncio.gather(*(boxes.handle(FillBox(box, 1), MINE) for _ in range(ROOM)))
        assert sorted(each.version for each in done) == list(range(2, ROOM + 2))
        assert len(store.commits) == ROOM + 1

    async def test_a_taken_claim_names_the_owner(self, boxes: Handling, store: SlowStore) -> None:
        """Who wants a value that another box holds learns which box, and nothing is stored."""
        first, second = uuid.uuid4(), uuid.uuid4()
        await boxes.handle(OpenBox(first, shelf="a"), MINE)
        with pytest.raises(ClaimTaken) as taken:
            await boxes.handle(OpenBox(second, shelf="a"), MINE)
        assert (taken.value.taken.kind, taken.value.taken.owner) == ("shelf", str(first))
        assert (await store.history(second)).version == 0
        assert (await boxes.handle(OpenBox(second, shelf="b"), MINE)).version == 1

    async def test_an_event_that_cannot_happen_is_never_stored(self, store: SlowStore) -> None:
        """A decider whose own events do not fit its state fails before anything is written."""
        broken = CommandHandling(
            type(BOXES)(BOXES.name, BOXES.aggregate_id, BOXES.decide, _refuse, BOXES.events), store, FrozenClock()
        )
        with pytest.raises(Impossible):
            await broken.handle(OpenBox(uuid.uuid4()), MINE)
        assert await store.head() == 0


def _refuse(box: Box | None, event: Message) -> Box:
    raise Impossible(event, box)


class WhenRepeated:
    async def test_a_creation_under_a_new_id_answers_with_the_first(self, boxes: Handling, store: SlowStore) -> None:
        """A repeat that drew another id gets the resource of the first time, as it is now."""
        key, first, second = request(), uuid.uuid4(), uuid.uuid4()
        done = await boxes.handle(OpenBox(first), MINE, key)
        await boxes.handle(FillBox(first, 2), MINE)
        again = await boxes.handle(OpenBox(second), MINE, key)
        assert again == Done(done.position, first, str(first), 2, Box("plain", 2), repeated=True, changed=True)
        assert (await store.history(second)).version == 0

    async def test_a_creation_under_the_same_id_answers_with_the_first(self, boxes: Handling) -> None:
        """A repeat that the state would refuse is answered by the request, not by the state."""
        key, box = request(), uuid.uuid4()
        done = await boxes.handle(OpenBox(box), MINE, key)
        again = await boxes.handle(OpenBox(box), MINE, key)
        assert (again.repeated, again.position, again.state) == (True, done.position, Box("plain"))
        with pytest.raises(AlreadyExists):
            await boxes.handle(OpenBox(box), MINE, request())

    async def test_a_command_that_changed_nothing_is_recognised(self, boxes: Handling) -> None:
        """A repeat of a command without events is a repeat, even if it would do something now."""
        box, key = await opened(boxes), request()
        first = await boxes.handle(FillBox(box, 0), MINE, key)
        await boxes.handle(FillBox(box, 1), MINE)
        again = await boxes.handle(FillBox(box, 0), MINE, key)
        assert (first.repeated, again.repeated, again.position) == (False, True, first.position)

    @pytest.mark.parametrize("amount", [1, ROOM + 1, 0])
    async def test_an_id_used_for_something_else_is_refused(self, boxes: Handling, amount: int) -> None:
        """One id with two bodies is bad input, whether the second command would be done, refused or do nothing."""
        box, key = await opened(boxes), request(b"one")
        await boxes.handle(FillBox(box, 1), MINE, key)
        other = type(key)(key.method, key.request_id, request(b"two").body_hash)
        with pytest.raises(InvalidInput) as refused:
            await boxes.handle(FillBox(box, amount), MINE, other)
        assert (refused.value.reason, refused.value.field) == ("REQUEST_ID_REUSED", "request_id")


class WhenOthersWriteToo:
    async def test_a_conflict_is_decided_again(self, boxes: Handling, elsewhere: Handling) -> None:
        """A decision on a state that another replica changed is made again on the new one."""
        box = await opened(boxes)
        await elsewhere.handle(FillBox(box, 4), MINE)
        done = await boxes.handle(FillBox(box, 1), MINE)
        assert (done.state, done.version) == (Box("plain", 5), 3)

    async def test_a_no_from_the_cache_is_made_again(self, boxes: Handling, elsewhere: Handling) -> None:
        """A refusal is never given on an outdated state: what another replica made room for is let in."""
        box = await opened(boxes, full=True)
        await elsewhere.handle(FillBox(box, -ROOM), MINE)
        assert (await boxes.handle(FillBox(box, 1), MINE)).state == Box("plain", 1)

    async def test_endless_conflicts_are_given_up(self, boxes: Handling, store: SlowStore) -> None:
        """A crowd that is faster again and again is told to the caller as something to try again."""
        box = await opened(boxes)
        store.answer = lambda _: Appended(Outcome.VERSION_CONFLICT)
        with pytest.raises(Contended, match="all the time"):
            await boxes.handle(FillBox(box, 1), MINE)
        assert len(store.commits) == 1 + ATTEMPTS


class WhenForeign:
    async def test_another_projects_aggregate_is_missing(self, boxes: Handling) -> None:
        """A command on another project's box finds none, and reading it finds none."""
        box = await opened(boxes)
        with pytest.raises(NotFound):
            await boxes.handle(FillBox(box, 1), THEIRS)
        assert await boxes.load(box, OTHER_PROJECT) == (None, 0)
        assert (await boxes.handle(FillBox(box, 1), MINE)).version == 2

    async def test_an_id_of_another_project_cannot_be_created(self, boxes: Handling, store: SlowStore) -> None:
        """Creating what another project has is refused in the words of a missing thing, and stores nothing."""
        box = await opened(boxes)
        with pytest.raises(NotFound):
            await boxes.handle(OpenBox(box), THEIRS)
        assert await store.head() == 1


class WhenTheAnswerIsLate:
    async def test_a_caller_that_left_does_not_free_the_turn(self, boxes: Handling, store: SlowStore) -> None:
        """The next command waits for the commit and decides on its result, though nobody waits for the first."""
        box = await opened(boxes)
        store.withholds = True
        first = asyncio.create_task(boxes.handle(FillBox(box, 4), MINE))
        await store.handed_over.wait()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        second = asyncio.create_task(boxes.handle(FillBox(box, 1), MINE))
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(store.commits) == 2, "the second command did not wait for its turn"
        store.withholds = False
        store.withheld.pop()()
        assert (await second).state == Box("plain", 5)
        assert len(store.commits) == 3, "the second command was decided on an outdated state"

    async def test_the_deadline_is_kept(self, boxes: Handling, store: SlowStore) -> None:
        """A caller is answered at its deadline, and the turn ends when the store has answered."""
        box = await opened(boxes)
        store.withholds = True
        with pytest.raises(Unavailable):
            await boxes.handle(FillBox(box, 4), MINE, deadline=asyncio.get_running_loop().time())
        store.withholds = False
        for tell in store.withheld:
            tell()
        done = await boxes.handle(FillBox(box, 1), MINE)
        assert done.state in {Box("plain", 5), Box("plain", 1)}
        assert (done.state, done.version) == await boxes.load(box, PROJECT)

    async def test_an_unknown_outcome_is_read_again(self, boxes: Handling, store: SlowStore) -> None:
        """After an append of which nothing is known, the next decision is made on what the store says."""
        box = await opened(boxes)
        store.answer = lambda _: Unavailable("PostgreSQL")
        with pytest.raises(Unavailable):
            await boxes.handle(FillBox(box, 4), MINE)
        store.answer = lambda appended: appended
        assert (await boxes.handle(FillBox(box, 1), MINE)).state == Box("plain", 5)
        assert len(store.commits) == 3, "a conflict should not have been needed to find out"


class WhenTheCacheIsFull:
    async def test_it_stays_within_its_bound(self, store: SlowStore) -> None:
        """More aggregates than fit are all served, and only so many are remembered."""
        boxes: Handling = CommandHandling(BOXES, store, FrozenClock(), cached=3)
        ids = [await opened(boxes) for _ in range(10)]
        assert len(boxes._cache) == 3
        done = await asyncio.gather(*(boxes.handle(FillBox(box, 1), MINE) for box in ids for _ in range(2)))
        assert sorted(each.version for each in done) == [2] * 10 + [3] * 10
        assert len(boxes._cache) == 3
        assert len(store.commits) == 30

    async def test_what_does_not_exist_is_not_remembered_for_long(self, store: SlowStore) -> None:
        """Asking for thousands of missing aggregates does not fill the memory."""
        boxes: Handling = CommandHandling(BOXES, store, FrozenClock(), cached=3)
        for _ in range(20):
            with pytest.raises(NotFound):
                await boxes.handle(FillBox(uuid.uuid4(), 1), MINE)
        assert len(boxes._cache) <= 3
