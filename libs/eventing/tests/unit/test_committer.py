import asyncio
import threading
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace

import pytest
from cortex_eventing.adapters.claim_keys import ClaimKeys
from cortex_eventing.adapters.postgres.append_call import EncodedAppend, answers, encode, parameters
from cortex_eventing.adapters.postgres.commit_thread import MOST_WAITING, CommitThread
from cortex_eventing.committer import MAX_BATCH, next_batch
from cortex_eventing.errors import Unavailable
from cortex_eventing.ports import Append, Appended, Outcome
from cortex_testkit.contracts.appends import CATALOGUE, Box, request
from cortex_testkit.waiting import DEADLINE

pytestmark = pytest.mark.unit

KEYS = ClaimKeys(b"a key for tests only")


@dataclass(eq=False)
class Waiting:
    """What waits, and nothing else."""

    append: Append


def _batches(*appends: Append, limit: int = MAX_BATCH) -> list[list[int]]:
    """The batches that a queue of appends is taken in, by the appends' places."""
    queue = deque(Waiting(append) for append in appends)
    places = {id(entry): place for place, entry in enumerate(queue)}
    batches = []
    while queue:
        batches.append([places[id(entry)] for entry in next_batch(queue, limit)])
    return batches


class WhenBatching:
    def test_what_does_not_clash_goes_together(self) -> None:
        """Commands on different aggregates are one batch, up to the limit, in order."""
        appends = [Box.new().append(0) for _ in range(5)]
        assert _batches(*appends) == [[0, 1, 2, 3, 4]]
        assert _batches(*appends, limit=2) == [[0, 1], [2, 3], [4]]

    def test_one_aggregate_request_or_claim_once_a_batch(self) -> None:
        """The later of two commands with a common aggregate, request id or claim waits for the next batch."""
        box, other, key = Box.new(), Box.new(), request()
        assert _batches(box.append(0), box.append(0), other.append(0)) == [[0, 2], [1]]
        assert _batches(box.append(0, request=key), other.append(0, request=key)) == [[0], [1]]
        take, release = [box.claim("v")], [other.claim("v")]
        assert _batches(box.append(0, take=take), other.append(0, release=release)) == [[0], [1]]

    def test_what_waits_keeps_its_place(self) -> None:
        """A command that clashes with one that waits, waits behind it."""
        a, b = Box.new(), Box.new()
        held = b.append(0, take=[a.claim("x")])
        assert _batches(a.append(0, take=[a.claim("x")]), held, b.append(1)) == [[0], [1], [2]]

    def test_the_same_value_in_two_projects_does_not_clash(self) -> None:
        """Claims and requests of different projects go together."""
        one, two, key = Box.new("a"), Box.new("b"), request()
        assert _batches(
            one.append(0, request=key, take=[one.claim("v")]), two.append(0, request=key, take=[two.claim("v")])
        ) == [[0, 1]]


class WhenCalling:
    def test_arrays_are_parallel(self) -> None:
        """Each command, event and claim is one place in each of its arrays, numbered by its command."""
        box, other = Box.new(), Box.new()
        encoded = [
            encode(box.append(3, box.filled(1), box.filled(2), take=[box.claim("v")]), CATALOGUE, KEYS),
            encode(other.append(0, other.opened(), release=[other.claim("w")], request=request()), CATALOGUE, KEYS),
        ]
        arrays = parameters(encoded)
        assert [len(array) for array in arrays] == [2] * 8 + [3] * 5 + [2] * 5
        assert arrays[8] == [1, 1, 2]
        assert arrays[10] == [4, 5, 1]
        assert arrays[14] == [True, False]
        assert len(parameters([encode(box.append(0), CATALOGUE, KEYS)])) == 18

    def test_claimed_values_do_not_appear(self) -> None:
        """Nothing that is sent to the store holds the value that was claimed."""
        box = Box.new()
        arrays = parameters([encode(box.append(0, take=[box.claim("ada@example.org")]), CATALOGUE, KEYS)])
        assert "ada@example.org" not in repr(arrays)
        assert KEYS("email", "a") != KEYS("emai", "la")
        assert KEYS("email", "a") != ClaimKeys(b"another key for tests")("email", "a")

    def test_a_short_claim_key_is_refused(self) -> None:
        """A key that can be guessed protects nothing."""
        with pytest.raises(ValueError, match="at least 16 bytes"):
            ClaimKeys(b"short")

    def test_a_strange_answer_is_an_error(self) -> None:
        """An answer that does not speak of each command once is a defect, not a guess."""
        row = (1, "stored", 5, "r", 1, None, None)
        assert answers([row], 1) == [Appended(Outcome.STORED, 5, "r", 1)]
        for rows, size in (([row], 2), ([row, row], 1), ([], 1)):
            with pytest.raises(ValueError, match="each command once"):
                answers(rows, size)


class ScriptedWriter:
    """A writer that does what the test says with each batch, in the thread."""

    def __init__(self) -> None:
        self.batches: list[Sequence[EncodedAppend]] = []
        self.script: deque[Callable[[], list[Appended] | None]] = deque()
        self.written = threading.Event()
        self.closed = False

    def write(self, batch: Sequence[EncodedAppend]) -> list[Appended]:
        """Do the next thing of the script; store everything when it is through."""
        self.batches.append(batch)
        self.written.set()
        done = self.script.popleft()() if self.script else None
        return done or [Appended(Outcome.STORED, 1)] * len(batch)

    def close(self) -> None:
        """Let go."""
        self.closed = True


def _away() -> list[Appended]:
    raise Unavailable("PostgreSQL")


def _defect() -> list[Appended]:
    raise RuntimeError("a defect")


def _held_until(go_on: threading.Event) -> Callable[[], list[Appended] | None]:
    def hold() -> None:
        go_on.wait()

    return hold


@pytest.fixture
def writer() -> ScriptedWriter:
    """Stores everything unless told otherwise."""
    return ScriptedWriter()


@pytest.fixture
async def thread(writer: ScriptedWriter) -> AsyncIterator[CommitThread]:
    """A thread that commits by the scripted writer."""
    thread = CommitThread(writer)
    thread.start()
    yield thread
    await thread.stop()


def _commit(thread: CommitThread, append: Append, deadline: float | None = None) -> asyncio.Future[Appended]:
    return thread.commit(append, encode(append, CATALOGUE, KEYS), deadline)


class WhenCommitting:
    async def test_what_waits_is_one_batch(self, thread: CommitThread, writer: ScriptedWriter) -> None:
        """Everything that came while a batch was on its way is the next batch, in pieces of the limit."""
        go_on = threading.Event()
        writer.script.append(_held_until(go_on))
        first = _commit(thread, Box.new().append(0))
        await asyncio.to_thread(writer.written.wait)
        rest = [_commit(thread, Box.new().append(0)) for _ in range(MAX_BATCH + 5)]
        go_on.set()
        await asyncio.gather(first, *rest)
        assert [len(batch) for batch in writer.batches] == [1, MAX_BATCH, 5]

    async def test_the_same_batch_is_sent_again(self, thread: CommitThread, writer: ScriptedWriter) -> None:
        """After a lost connection the batch goes again as it was, until it is answered."""
        writer.script.extend([_away, _away])
        answer = await _commit(thread, Box.new().append(0, request=request()))
        assert answer.outcome is Outcome.STORED
        assert len(writer.batches) == 3
        assert writer.batches[0] == writer.batches[1] == writer.batches[2]

    async def test_past_its_deadline_a_command_is_given_up(self, thread: CommitThread, writer: ScriptedWriter) -> None:
        """A command whose caller has gone is answered as unknown and sent no more; the others go on."""
        writer.script.append(_away)
        gone = _commit(thread, Box.new().append(0), deadline=0.0)
        with pytest.raises(Unavailable):
            await gone
        assert writer.batches == []
        assert (await _commit(thread, Box.new().append(0))).outcome is Outcome.STORED

    async def test_a_conflict_with_oneself_is_not_told(self, thread: CommitThread, writer: ScriptedWriter) -> None:
        """Without a request row, a conflict after a lost answer may be with the command's own events."""
        conflict = [Appended(Outcome.VERSION_CONFLICT)]
        writer.script.extend([_away, lambda: conflict])
        with pytest.raises(Unavailable):
            await _commit(thread, Box.new().append(0))
        writer.script.extend([_away, lambda: conflict])
        with_request = await _commit(thread, Box.new().append(0, request=request()))
        assert with_request.outcome is Outcome.VERSION_CONFLICT

    async def test_a_defect_fails_its_batch_alone(self, thread: CommitThread, writer: ScriptedWriter) -> None:
        """An error that nobody expects reaches the callers of its batch, and the thread goes on."""
        writer.script.append(_defect)
        with pytest.raises(RuntimeError, match="a defect"):
            await _commit(thread, Box.new().append(0))
        assert (await _commit(thread, Box.new().append(0))).outcome is Outcome.STORED

    async def test_a_thread_that_dies_answers_everybody(self, thread: CommitThread, writer: ScriptedWriter) -> None:
        """Also those who named no deadline and those behind them; and whoever minds the thread hears of it."""
        go_on = threading.Event()

        def answer_too_much() -> list[Appended]:
            go_on.wait()
            return [Appended(Outcome.STORED, 1)] * 2

        writer.script.append(answer_too_much)
        in_hand = _commit(thread, Box.new().append(0))
        await asyncio.to_thread(writer.written.wait)
        waiting = [_commit(thread, Box.new().append(0)) for _ in range(3)]
        go_on.set()
        async with asyncio.timeout(DEADLINE):
            outcomes = await asyncio.gather(in_hand, *waiting, return_exceptions=True)
            with pytest.raises(ValueError, match="zip"):
                await thread.until_failed()
        assert [type(outcome) for outcome in outcomes] == [ValueError] * 4
        with pytest.raises(Unavailable):
            _commit(thread, Box.new().append(0))

    async def test_the_queue_is_bounded(self, thread: CommitThread, writer: ScriptedWriter) -> None:
        """When too many wait already, the next one is told at once."""
        go_on = threading.Event()
        writer.script.append(_held_until(go_on))
        append = Box.new().append(0)
        waiting = [_commit(thread, append)]
        await asyncio.to_thread(writer.written.wait)
        encoded = encode(append, CATALOGUE, KEYS)
        for _ in range(MOST_WAITING):
            own = replace(append, aggregate_id=uuid.uuid4())
            waiting.append(thread.commit(own, encoded, None))
        with pytest.raises(Unavailable):
            _commit(thread, append)
        go_on.set()
        assert {answer.outcome for answer in await asyncio.gather(*waiting)} == {Outcome.STORED}

    async def test_stopping_answers_everybody(self, writer: ScriptedWriter) -> None:
        """A thread that is stopped commits what waits, answers what it cannot commit, and takes nothing more."""
        thread = CommitThread(writer)
        thread.start()
        writer.script.extend([_away] * 1000)
        refused = _commit(thread, Box.new().append(0))
        await asyncio.to_thread(writer.written.wait)
        await thread.stop()
        with pytest.raises(Unavailable):
            await refused
        with pytest.raises(Unavailable):
            _commit(thread, Box.new().append(0))
        assert writer.closed
