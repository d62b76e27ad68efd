"""Who is recognised when: one scheduler for all speakers and models of a process, a few worker threads behind it.

Finals of those who speak now go first: projects take turns, and of each the oldest comes first. What is an utterance
already, probably, comes next: one worker, where there are several, is kept free of it, so that no final waits longer
than a recognition in progress.

Interims and what was recorded before it came take turns on threads of their own, which begin when a worker has nothing
to do and get the time that none wants. What was recorded gets a part of that while anybody speaks; where that is none
for long, one goes before everything else.

While finals are late nothing else is begun. Only so many early ones and interims wait; the oldest of the project with
most are shed.
This is one of the two borders between asyncio and threads; the other is the committer's.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from cortex_transcriber.speech.lateness import Lateness
from cortex_transcriber.speech.niceness import OF_PATIENT, OF_WORKERS, give_way
from cortex_transcriber.speech.pcm import FULL_SCALE, Pcm, rounded, to_float
from cortex_transcriber.speech.recogniser import SAMPLE_RATE, Recognised, Recogniser
from cortex_transcriber.speech.spare_time import SpareTime
from cortex_transcriber.speech.turns import FairRoom, Turns

WAITING_FINALS: Final = 64
"""Finals handed over at most: 10 MB of audio as people speak, 60 MB at worst. Further callers wait for their turn."""

WAITING_INTERIMS: Final = 8
"""Interims that wait at most; a newer one has more to say than the oldest."""

LATE: Final = 0.3
"""Seconds that a final may be waited for before all workers are kept for finals: about what the longest utterance takes
to recognise. An interim costs as much as a final, so that a process with hardly time for finals would be late with one
worker less."""

WARM_UP_SECONDS: Final = 2
"""Length of the audio that each worker recognises before the first speaker: later allocations are then rare."""


WAITING_EARLY: Final = 8
"""Likely utterances that wait at most: what waits longer than the pause at its end lasts gains nothing."""


Kind = Literal["final", "early", "interim", "recorded"]

Choose = Callable[[], Kind | None]
"""What a thread takes next; None for nothing that waits now."""

MOST_WAITING: Final[Mapping[Kind, int]] = {"early": WAITING_EARLY, "interim": WAITING_INTERIMS}
"""Of those that are shed; all others wait for as long as it takes."""


@dataclass(frozen=True)
class Load:
    """What the scheduler has in hand."""

    waiting_finals: int
    waiting_interims: int
    waiting_recorded: int
    running: int
    shed_interims: int


@dataclass(eq=False)
class Job:
    """What a model is to recognise.

    Attributes:
        pcm: the audio, as rings hold it: as floats it would be twice as much for as long as it waits.
        project_id: whose it is.
        begun: a worker has taken it.
    """

    model: Recogniser
    pcm: Pcm
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Recognised | None]
    kind: Kind
    project_id: str = ""
    begun: bool = False

    def drop(self) -> None:
        """Nobody waits for it any more; what runs, runs on."""
        self.done.cancel()


class Scheduler:
    """Recognises utterances on worker threads. Made by `scheduling`.

    Args:
        workers: threads.
        now: seconds, of a clock that only goes on.
    """

    def __init__(self, workers: int, now: Callable[[], float] = time.monotonic) -> None:
        self._workers = workers
        self._most_patient = max(1, workers - 1)
        self._now = now
        self._finals_owed = Lateness(now)
        self._room = FairRoom(WAITING_FINALS)
        self._changed = threading.Condition()
        self._finals: Turns[Job] = Turns()
        self._interims: Turns[Job] = Turns()
        self._recorded: Turns[Job] = Turns()
        self._queues: dict[Kind, Turns[Job]] = {
            "final": self._finals,
            "early": Turns(),
            "interim": self._interims,
            "recorded": self._recorded,
        }
        self._patient: deque[Kind] = deque(["interim", "recorded"])  # whose turn it is
        self._running: dict[Kind, int] = dict.fromkeys(self._queues, 0)
        self._spare = SpareTime(self._most_patient, now)
        self._shed = 0
        self._closed = False
        self._threads = [
            *_new_threads("recogniser", workers, self._work),
            *_new_threads("recogniser-patient", self._most_patient, self._work_patiently),
        ]

    async def final(self, model: Recogniser, pcm: Pcm, project_id: str = "", early: Job | None = None) -> Recognised:
        """Have a model recognise a finished utterance, in its project's turn, unless it was begun early.

        Raises:
            Exception: whatever the model raised for these samples; other speakers are not concerned.
            asyncio.CancelledError: the scheduler was closed.
        """
        try:
            with self._finals_owed.owing(project_id):
                if early and (known := await _known(early)):
                    return known
                async with self._room.place(project_id):
                    return _kept(await self._hand_over(model, pcm, "final", project_id))
        finally:
            with self._changed:
                self._changed.notify_all()  # what had to wait for this one may go on

    def early(self, model: Recogniser, pcm: Pcm, project_id: str = "") -> Job:
        """Have a model recognise what is probably an utterance already, where there is time, for `final` to take."""
        return self._handed_over(model, pcm, "early", project_id)

    async def recorded(self, model: Recogniser, pcm: Pcm, project_id: str = "") -> Recognised:
        """Have a model recognise what was not spoken just now: once nobody who speaks now waits, or after a while.

        Raises:
            Exception: whatever the model raised for these samples.
            asyncio.CancelledError: the scheduler was closed.
        """
        return _kept(await self._hand_over(model, pcm, "recorded", project_id))

    async def interim(self, model: Recogniser, pcm: Pcm, project_id: str = "") -> Recognised | None:
        """Have a model recognise an utterance that goes on; None when there was no time for it."""
        return await self._hand_over(model, pcm, "interim", project_id)

    @property
    def lateness(self) -> float:
        """For how many seconds the oldest final that is not there yet has been waited for; 0 when all are there."""
        return self._finals_owed.seconds

    def lateness_for(self, project_id: str) -> float:
        """The same, as far as it tells how long another speaker of the project would wait."""
        return self._finals_owed.seconds_for(project_id)

    @property
    def load(self) -> Load:
        """What is in hand now."""
        with self._changed:
            running = sum(self._running.values())
            return Load(len(self._finals), len(self._interims), len(self._recorded), running, self._shed)

    async def warm_up(self, model: Recogniser) -> None:
        """Let each worker recognise once, so that the model's first speaker does not pay for allocations."""
        await asyncio.gather(*(self.final(model, warm_up_audio()) for _ in range(self._workers)))

    def start(self) -> None:
        """Start the workers."""
        for thread in self._threads:
            thread.start()

    async def close(self) -> None:
        """Cancel what waits, let what runs finish, end the threads."""
        with self._changed:
            self._closed = True
            waiting = [job for queue in self._queues.values() for job in queue]
            for queue in self._queues.values():
                queue.clear()
            self._changed.notify_all()
        for job in waiting:
            job.done.cancel()
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    async def _hand_over(self, model: Recogniser, pcm: Pcm, kind: Kind, project_id: str) -> Recognised | None:
        return await self._handed_over(model, pcm, kind, project_id).done

    def _handed_over(self, model: Recogniser, pcm: Pcm, kind: Kind, project_id: str) -> Job:
        loop = asyncio.get_running_loop()
        job = Job(model, pcm, loop, loop.create_future(), kind, project_id)
        with self._changed:
            if self._closed:
                job.done.cancel()
            shed = self._admit(job)
            self._changed.notify_all()
        for dropped in shed:
            _answer(dropped, None)
        return job

    def _admit(self, job: Job) -> list[Job]:
        """Put a job into its queue; the interims that have to go for it."""
        queue = self._queues[job.kind]
        if job.kind != "recorded":
            self._spare.live()
        elif not queue:
            self._spare.waiting()
        queue.push(job.project_id, job)
        if job.kind not in MOST_WAITING:
            return []
        shed = [queue.drop() for _ in range(len(queue) - MOST_WAITING[job.kind])]
        if job.kind == "interim":
            self._shed += len(shed)
        return shed

    def _work(self) -> None:
        give_way(OF_WORKERS)
        while jobs := self._take(self._next_kind):
            self._do(jobs)

    def _work_patiently(self) -> None:
        give_way(OF_PATIENT)
        while jobs := self._take(self._next_patient):
            self._do(jobs)

    def _do(self, jobs: list[Job]) -> None:
        kind, began = jobs[0].kind, self._now()
        try:
            self._recognise([job for job in jobs if not job.done.cancelled()])
        finally:
            with self._changed:
                self._running[kind] -= 1
                if kind == "recorded":
                    self._spare.took(self._now() - began)
                self._changed.notify_all()

    def _take(self, choose: Choose) -> list[Job]:
        """The next jobs for one call of the model; none when the scheduler was closed."""
        with self._changed:
            while not self._closed:
                if kind := choose():
                    self._note_begun(kind)
                    return self._batch(self._queues[kind])
                self._changed.wait(self._spare.rest or None)
            return []

    def _note_begun(self, kind: Kind) -> None:
        self._running[kind] += 1
        if kind == "recorded":
            self._spare.waiting()

    def _next_kind(self) -> Kind | None:
        if self._recorded and self._spare.starved:
            return "recorded"
        if self._finals:
            return "final"
        may_begin = self.lateness <= LATE and self._running["early"] < self._most_patient
        return "early" if self._queues["early"] and may_begin else None

    def _next_patient(self) -> Kind | None:
        if self._finals or self.lateness > LATE or sum(self._running.values()) >= self._workers:
            return None
        for kind in self._patient:
            if self._queues[kind] and not (kind == "recorded" and self._spare.rest):
                self._patient.remove(kind)
                self._patient.append(kind)
                return kind
        return None

    def _batch(self, queue: Turns[Job]) -> list[Job]:
        """Whose turn it is, and as many as go along with it: what waits for other models keeps its turn."""
        jobs = [queue.pop()]
        model = jobs[0].model
        while len(jobs) < model.batch_size and (job := queue.pop_first(lambda job: job.model is model)):
            jobs.append(job)
        for job in jobs:
            job.begun = True
        return jobs

    def _recognise(self, jobs: list[Job]) -> None:
        if len(jobs) > 1:
            try:
                answers = jobs[0].model.recognise_batch([to_float(job.pcm) for job in jobs])
            except Exception:  # noqa: BLE001 - one bad utterance must not fail its neighbours
                answers = []
            for job, recognised in zip(jobs, answers, strict=False):
                _answer(job, recognised)
            jobs = jobs[len(answers) :]
        for job in jobs:
            self._recognise_one(job)

    def _recognise_one(self, job: Job) -> None:
        try:
            recognised = job.model.recognise(to_float(job.pcm))
        except Exception as error:  # noqa: BLE001 - it is the caller's to judge
            job.loop.call_soon_threadsafe(_fail, job.done, error)
        else:
            _answer(job, recognised)


def _new_threads(name: str, count: int, work: Callable[[], None]) -> list[threading.Thread]:
    return [threading.Thread(target=work, name=f"{name}-{number}", daemon=True) for number in range(count)]


async def _known(early: Job) -> Recognised | None:
    """The words that a worker has found or is finding; None where none is, or the model failed."""
    if not early.begun:
        early.drop()
        return None
    try:
        return await early.done
    except Exception:  # noqa: BLE001 - it is tried again as a final, and judged then
        return None


def _answer(job: Job, recognised: Recognised | None) -> None:
    job.loop.call_soon_threadsafe(_set, job.done, recognised)


def _kept(recognised: Recognised | None) -> Recognised:
    if recognised is None:
        raise AssertionError("only interims are shed")
    return recognised


def _set(done: asyncio.Future[Recognised | None], recognised: Recognised | None) -> None:
    if not done.done():
        done.set_result(recognised)


def _fail(done: asyncio.Future[Recognised | None], error: Exception) -> None:
    if not done.done():
        done.set_exception(error)


def warm_up_audio() -> Pcm:
    """Faint noise, which a model that works always takes: no process serves that did not recognise it at its start."""
    noise = np.random.default_rng(0).normal(scale=0.01 * FULL_SCALE, size=WARM_UP_SECONDS * SAMPLE_RATE)
    return rounded(noise.astype(np.float32))


@asynccontextmanager
async def scheduling(models: Sequence[Recogniser], workers: int) -> AsyncIterator[Scheduler]:
    """A scheduler that is warm for these models on entering, and has ended its threads on leaving."""
    scheduler = Scheduler(workers)
    scheduler.start()
    try:
        for model in models:
            await scheduler.warm_up(model)
        yield scheduler
    finally:
        await scheduler.close()
