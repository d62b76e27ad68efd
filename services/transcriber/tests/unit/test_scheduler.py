import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence

import numpy as np
import pytest
import pytest_asyncio
from cortex_transcriber.speech.pcm import FULL_SCALE, Pcm
from cortex_transcriber.speech.recogniser import Recognised, Samples
from cortex_transcriber.speech.scheduler import WAITING_EARLY, WAITING_INTERIMS, Scheduler, scheduling
from cortex_transcriber.speech.spare_time import STARVED

pytestmark = pytest.mark.unit


def audio(number: int) -> Pcm:
    """Audio that the recogniser below can tell apart."""
    return np.full(4, number, dtype=np.int16)


def number_of(samples: Samples) -> int:
    """Which it was."""
    return round(float(samples[0]) * FULL_SCALE)


class Obedient:
    """Recognises when it is told to, and notes in which order it was asked."""

    name, language = "obedient", "en"

    def __init__(self, batch_size: int = 1) -> None:
        self.batch_size = batch_size
        self.go = threading.Semaphore(0)
        self.asked: list[int] = []
        self.batches: list[int] = []
        self.takes: Callable[[], None] = lambda: None

    def recognise(self, samples: Samples) -> Recognised:
        """The number, as a word; 13 is more than it can bear."""
        self.go.acquire()
        number = number_of(samples)
        self.asked.append(number)
        self.takes()
        if number == 13:
            raise ValueError("thirteen")
        return Recognised(str(number), 1.0, 1, "en", self.name)

    def recognise_batch(self, utterances: Sequence[Samples]) -> list[Recognised]:
        """All of them in one go."""
        self.batches.append(len(utterances))
        if any(number_of(samples) == 13 for samples in utterances):
            raise ValueError("thirteen among them")
        return [self.recognise(samples) for samples in utterances]

    def let(self, count: int) -> None:
        """Let so many recognitions happen."""
        self.go.release(count)


@pytest_asyncio.fixture
async def model() -> Obedient:
    """A model that does nothing before it is told to."""
    return Obedient()


@pytest_asyncio.fixture
async def scheduler(model: Obedient) -> AsyncIterator[Scheduler]:
    """One worker, busy with utterance 0."""
    scheduler = Scheduler(workers=1)
    scheduler.start()
    busy = asyncio.ensure_future(scheduler.final(model, audio(0)))
    await until(lambda: scheduler.load.running == 1)
    yield scheduler
    model.let(100)
    await asyncio.gather(busy, return_exceptions=True)
    await scheduler.close()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for another thread, which tells nobody."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


def waiting(scheduler: Scheduler) -> int:
    load = scheduler.load
    return load.waiting_finals + load.waiting_interims + load.waiting_recorded


async def handed_over(
    scheduler: Scheduler, *coroutines: Coroutine[None, None, Recognised | None]
) -> list[asyncio.Task]:
    """Tasks of these, after all of them wait."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    await until(lambda: waiting(scheduler) == len(tasks))
    return tasks


async def test_finals_go_first_and_the_oldest_before_all(scheduler: Scheduler, model: Obedient) -> None:
    """An interim is not begun while a final waits, though its own thread has nothing to do."""
    tasks = await handed_over(
        scheduler,
        scheduler.final(model, audio(1)),
        scheduler.final(model, audio(2)),
        scheduler.interim(model, audio(3)),
    )
    assert scheduler.load.running == 1
    model.let(4)
    assert [heard.text for heard in await asyncio.gather(*tasks)] == ["1", "2", "3"]
    assert model.asked[:2] == [0, 1]


async def test_projects_take_turns(scheduler: Scheduler, model: Obedient) -> None:
    """However many utterances of one project wait, another's is next but one."""
    mine = [scheduler.final(model, audio(n), "mine") for n in (1, 2, 3)]
    tasks = await handed_over(scheduler, *mine, scheduler.final(model, audio(4), "yours"))
    model.let(5)
    await asyncio.gather(*tasks)
    assert model.asked == [0, 1, 4, 2, 3]


async def test_a_flood_of_interims_sheds_its_own(scheduler: Scheduler, model: Obedient) -> None:
    """The one interim of another project stays."""
    final = asyncio.ensure_future(scheduler.final(model, audio(50)))
    await until(lambda: scheduler.load.waiting_finals == 1)
    yours = asyncio.ensure_future(scheduler.interim(model, audio(99), "yours"))
    await until(lambda: scheduler.load.waiting_interims == 1)
    flood = [asyncio.ensure_future(scheduler.interim(model, audio(n), "mine")) for n in range(1, WAITING_INTERIMS + 3)]
    await until(lambda: scheduler.load.shed_interims == 3)
    model.let(100)
    assert (await yours) is not None
    assert [await each is None for each in flood] == [True] * 3 + [False] * (WAITING_INTERIMS - 1)
    await final


async def test_what_was_recorded_waits_while_finals_wait(scheduler: Scheduler, model: Obedient) -> None:
    """It came first, and its own thread has nothing to do; who speaks now comes first all the same."""
    final, recorded = await handed_over(
        scheduler, scheduler.final(model, audio(1)), scheduler.recorded(model, audio(2), "yours")
    )
    assert scheduler.load.running == 1
    model.let(3)
    await asyncio.gather(final, recorded)
    assert model.asked[0] == 0
    assert sorted(model.asked) == [0, 1, 2]


async def test_what_was_recorded_takes_no_worker() -> None:
    """However much of it waits: with two workers, two finals are begun beside it, and it goes on."""
    model = Obedient()
    scheduler = Scheduler(workers=2)
    scheduler.start()
    recorded = [asyncio.ensure_future(scheduler.recorded(model, audio(n))) for n in (1, 2)]
    await until(lambda: scheduler.load.running == 1 and scheduler.load.waiting_recorded == 1)
    finals = [asyncio.ensure_future(scheduler.final(model, audio(n))) for n in (3, 4)]
    await until(lambda: scheduler.load.running == 3)
    model.let(4)
    heard = await asyncio.gather(*recorded, *finals)
    assert [each.text for each in heard] == ["1", "2", "3", "4"]
    await scheduler.close()


async def test_what_was_recorded_rests_while_somebody_speaks(model: Obedient) -> None:
    """Three times as long as the one before it took, whereas interims go on; and not at all when nobody speaks."""
    seconds = [0.0]
    model.takes = lambda: seconds.__setitem__(0, seconds[0] + 0.5)
    scheduler = Scheduler(workers=1, now=lambda: seconds[0])
    scheduler.start()
    model.let(20)
    await asyncio.gather(*(scheduler.recorded(model, audio(n)) for n in (1, 2)))
    await until(lambda: scheduler.load.running == 0)
    await scheduler.interim(model, audio(3))
    await scheduler.recorded(model, audio(4))
    recorded = asyncio.ensure_future(scheduler.recorded(model, audio(5)))
    await scheduler.interim(model, audio(6))
    assert scheduler.load.waiting_recorded == 1
    seconds[0] += 1.5
    await until(lambda: scheduler.load.running == 0)
    await scheduler.interim(model, audio(7))
    await recorded
    assert model.asked[:5] == [1, 2, 3, 4, 6]
    await scheduler.close()


async def test_what_was_recorded_gets_on_while_others_never_stop(model: Obedient) -> None:
    """One that has waited for long enough goes before all finals, and the next one waits anew."""
    seconds = [0.0]
    scheduler = Scheduler(workers=1, now=lambda: seconds[0])
    scheduler.start()
    busy = asyncio.ensure_future(scheduler.final(model, audio(0)))
    await until(lambda: scheduler.load.running == 1)
    finals = [scheduler.final(model, audio(n)) for n in (3, 4)]
    tasks = await handed_over(scheduler, *finals, *(scheduler.recorded(model, audio(n), "late") for n in (1, 2)))
    seconds[0] = STARVED
    model.let(2)
    await busy
    await tasks[2]
    assert model.asked == [0, 1]
    model.let(3)
    await asyncio.gather(*tasks)
    await scheduler.close()


async def test_old_interims_are_shed_for_new_ones(scheduler: Scheduler, model: Obedient) -> None:
    """Whoever does not get an interim is told so at once; finals are never shed."""
    final = asyncio.ensure_future(scheduler.final(model, audio(50)))
    await until(lambda: scheduler.load.waiting_finals == 1)
    tasks = [asyncio.ensure_future(scheduler.interim(model, audio(n))) for n in range(1, WAITING_INTERIMS + 3)]
    assert await asyncio.gather(*tasks[:2]) == [None, None]
    assert scheduler.load.shed_interims == 2
    model.let(WAITING_INTERIMS + 2)
    heard = await asyncio.gather(*tasks[2:])
    assert (await final).text == "50"
    assert [each.text for each in heard] == [str(n) for n in range(3, WAITING_INTERIMS + 3)]


async def test_a_failing_recognition_fails_only_its_own_caller(scheduler: Scheduler, model: Obedient) -> None:
    """The worker lives on and serves the next."""
    bad, good = await handed_over(scheduler, scheduler.final(model, audio(13)), scheduler.final(model, audio(4)))
    model.let(3)
    with pytest.raises(ValueError, match="thirteen"):
        await bad
    assert (await good).text == "4"


async def test_a_caller_that_went_away_costs_nothing(scheduler: Scheduler, model: Obedient) -> None:
    """An interim whose utterance has ended is not recognised any more."""
    final, gone, stays = await handed_over(
        scheduler,
        scheduler.final(model, audio(1)),
        scheduler.interim(model, audio(5)),
        scheduler.interim(model, audio(6)),
    )
    gone.cancel()
    model.let(3)
    await final
    assert (await stays).text == "6"
    assert sorted(model.asked) == [0, 1, 6]


async def test_closing_cancels_what_waits(model: Obedient) -> None:
    """What runs is finished, what waits is cancelled, what comes later too; the threads end."""
    scheduler = Scheduler(workers=1)
    scheduler.start()
    running = asyncio.ensure_future(scheduler.final(model, audio(1)))
    await until(lambda: scheduler.load.running == 1)
    waiting = await handed_over(scheduler, scheduler.final(model, audio(2)))
    model.let(1)
    await scheduler.close()
    assert (await running).text == "1"
    with pytest.raises(asyncio.CancelledError):
        await waiting[0]
    with pytest.raises(asyncio.CancelledError):
        await scheduler.final(model, audio(3))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("recogniser-")]


async def test_interims_take_no_worker() -> None:
    """With two workers one interim runs at a time, and two finals are begun beside it."""
    model = Obedient()
    scheduler = Scheduler(workers=2)
    scheduler.start()
    interims = [asyncio.ensure_future(scheduler.interim(model, audio(n))) for n in (1, 2)]
    await until(lambda: scheduler.load.running == 1 and scheduler.load.waiting_interims == 1)
    finals = [asyncio.ensure_future(scheduler.final(model, audio(n))) for n in (3, 4)]
    await until(lambda: scheduler.load.running == 3)
    model.let(4)
    assert [heard.text for heard in await asyncio.gather(*interims, *finals)] == ["1", "2", "3", "4"]
    await scheduler.close()


async def test_a_model_that_gains_is_given_batches() -> None:
    """What waits goes in one call; when the call fails, each is tried alone."""
    model = Obedient(batch_size=3)
    scheduler = Scheduler(workers=1)
    scheduler.start()
    busy = asyncio.ensure_future(scheduler.final(model, audio(0)))
    await until(lambda: scheduler.load.running == 1)
    tasks = await handed_over(scheduler, *(scheduler.final(model, audio(n)) for n in (1, 2, 3, 13, 5)))
    model.let(6)
    answers = await asyncio.gather(busy, *tasks, return_exceptions=True)
    assert [str(each) if isinstance(each, ValueError) else each.text for each in answers] == [
        "0",
        "1",
        "2",
        "3",
        "thirteen",
        "5",
    ]
    assert model.batches == [3, 2]
    await scheduler.close()


async def test_a_batch_is_of_one_model() -> None:
    """What waits for another model keeps its turn, and is no part of the batch."""
    one, other = Obedient(batch_size=4), Obedient(batch_size=4)
    scheduler = Scheduler(workers=1)
    scheduler.start()
    busy = asyncio.ensure_future(scheduler.final(one, audio(0)))
    await until(lambda: scheduler.load.running == 1)
    both = [(one, 1, "mine"), (other, 2, "yours"), (one, 3, "theirs"), (other, 4, "yours"), (one, 5, "mine")]
    tasks = await handed_over(scheduler, *(scheduler.final(model, audio(n), whose) for model, n, whose in both))
    one.let(100)
    other.let(100)
    await asyncio.gather(busy, *tasks)
    assert (one.batches, one.asked) == ([3], [0, 1, 3, 5])
    assert (other.batches, other.asked) == ([2], [2, 4])
    await scheduler.close()


async def test_a_model_that_is_stuck_leaves_the_other_workers_to_the_others() -> None:
    """Models share the workers, and nothing else."""
    stuck, free = Obedient(), Obedient()
    free.let(1)
    scheduler = Scheduler(workers=2)
    scheduler.start()
    waits = asyncio.ensure_future(scheduler.final(stuck, audio(1)))
    await until(lambda: scheduler.load.running == 1)
    assert (await scheduler.final(free, audio(2))).text == "2"
    stuck.let(1)
    assert (await waits).text == "1"
    await scheduler.close()


async def test_it_is_warm_on_entering() -> None:
    """Every worker has recognised something with each model before the first speaker comes."""
    model, second = Obedient(), Obedient()
    model.let(100)
    second.let(100)
    async with scheduling([model, second], workers=2) as scheduler:
        assert (len(model.asked), len(second.asked)) == (2, 2)
        assert (await scheduler.final(model, audio(7))).text == "7"


async def test_it_knows_how_long_the_oldest_final_is_waited_for(model: Obedient) -> None:
    """Interims do not count; one that is being recognised still does."""
    seconds = [0.0]
    scheduler = Scheduler(workers=1, now=lambda: seconds[0])
    scheduler.start()
    first = asyncio.ensure_future(scheduler.final(model, audio(1)))
    await until(lambda: scheduler.load.running == 1)
    seconds[0] = 3.0
    interim = asyncio.ensure_future(scheduler.interim(model, audio(2)))
    assert scheduler.lateness == 3.0
    model.let(1)
    await first
    assert scheduler.lateness == 0.0
    model.let(1)
    await interim
    await scheduler.close()


async def test_while_finals_are_late_no_worker_takes_an_interim(model: Obedient) -> None:
    """Two workers and one late final: the interim waits for it, though a worker is free."""
    seconds = [0.0]
    scheduler = Scheduler(workers=2, now=lambda: seconds[0])
    scheduler.start()
    final = asyncio.ensure_future(scheduler.final(model, audio(1)))
    await until(lambda: scheduler.load.running == 1)
    seconds[0] = 1.0
    interim = asyncio.ensure_future(scheduler.interim(model, audio(2)))
    await until(lambda: scheduler.load.waiting_interims == 1)
    model.let(1)
    await final
    assert model.asked == [1]
    model.let(1)
    assert (await interim) is not None
    await scheduler.close()


async def test_what_was_begun_early_is_the_final(model: Obedient) -> None:
    """The model is asked once, whether it is through when the utterance is over or not."""
    scheduler = Scheduler(workers=1)
    scheduler.start()
    early = scheduler.early(model, audio(1))
    await until(lambda: early.begun)
    final = asyncio.ensure_future(scheduler.final(model, audio(1), early=early))
    model.let(1)
    assert (await final).text == "1"
    early = scheduler.early(model, audio(2))
    model.let(1)
    await until(early.done.done)
    assert (await scheduler.final(model, audio(2), early=early)).text == "2"
    assert model.asked == [1, 2]
    await scheduler.close()


async def test_what_no_worker_had_time_to_begin_is_a_final_like_any(scheduler: Scheduler, model: Obedient) -> None:
    """It does not wait in the queue of those that have time."""
    early = scheduler.early(model, audio(1))
    final = asyncio.ensure_future(scheduler.final(model, audio(1), early=early))
    second = scheduler.early(model, audio(2))
    model.let(3)
    assert (await final).text == "1"
    await second.done
    assert model.asked == [0, 1, 2]


async def test_an_early_failure_is_tried_again_as_a_final(model: Obedient) -> None:
    """Whoever judges failures sees them of finals only."""
    scheduler = Scheduler(workers=1)
    scheduler.start()
    early = scheduler.early(model, audio(13))
    model.let(2)
    await until(early.done.done)
    with pytest.raises(ValueError, match="thirteen"):
        await scheduler.final(model, audio(13), early=early)
    assert model.asked == [13, 13]
    await scheduler.close()


async def test_of_those_that_may_be_over_the_oldest_give_way(scheduler: Scheduler, model: Obedient) -> None:
    """Each gains only as long as its pause lasts."""
    jobs = [scheduler.early(model, audio(number)) for number in range(1, WAITING_EARLY + 3)]
    await until(jobs[1].done.done)
    assert [job.done.done() for job in jobs] == [True, True] + [False] * WAITING_EARLY
    assert (await asyncio.gather(jobs[0].done, jobs[1].done)) == [None, None]
    for job in jobs[2:]:
        job.drop()
    model.let(2)
    final = await scheduler.final(model, audio(50), early=jobs[0])
    assert final.text == "50"
    assert model.asked == [0, 50]
