"""The words of segments, as far as they are to be believed."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, Protocol

from cortex_eventing.backoff import waits
from cortex_eventing.errors import Unavailable
from cortex_runtime.logs import log
from prometheus_client import Counter

from cortex_transcriber.speech.events import EndLikely, InterimDue, SegmentReady
from cortex_transcriber.speech.pcm import Pcm
from cortex_transcriber.speech.plausibility import repeats_itself, was_said
from cortex_transcriber.speech.recogniser import Recognised, Recogniser
from cortex_transcriber.speech.scheduler import Job
from cortex_transcriber.stream.metrics import INTERIMS_SHED
from cortex_transcriber.stream.ports import Unrecognisable

ATTEMPTS: Final = 4
"""At one segment, within a third of a second: memory that was short for a moment is there again. A model that fails so
often on the same samples, and works otherwise, will fail on them for ever."""

Recognise = Callable[[Pcm], Awaitable[Recognised]]

NOT_SPEECH = Counter("cortex_transcriber_not_speech_total", "Segments whose words were not believed.")


class Scheduler(Protocol):
    """Who is recognised when."""

    def early(self, model: Recogniser, pcm: Pcm, project_id: str = "") -> Job:
        """Begin with what is probably an utterance already."""
        ...

    async def final(self, model: Recogniser, pcm: Pcm, project_id: str = "", early: Job | None = None) -> Recognised:
        """The words of a finished utterance, in its project's turn, or those that were begun early."""
        ...

    async def recorded(self, model: Recogniser, pcm: Pcm, project_id: str = "") -> Recognised:
        """The words of what was not spoken just now, once nobody who speaks now waits, or after a while."""
        ...

    async def interim(self, model: Recogniser, pcm: Pcm, project_id: str = "") -> Recognised | None:
        """The words so far; None when there was more urgent work."""
        ...


class BelievedRecognition:
    """The port `Recognition` of one model on the scheduler.

    Args:
        scheduler: of all models.
        model: the one.
        known_good: what the model took when this process started. If it fails at that now, it is not the segment's
            fault: the bot keeps the audio, and another replica may do better.
    """

    def __init__(self, scheduler: Scheduler, model: Recogniser, known_good: Pcm) -> None:
        self._scheduler = scheduler
        self._model = model
        self._known_good = known_good
        self._nothing = Recognised("", confidence=1.0, tokens=0, language="", model=model.name)

    def early(self, likely: EndLikely, project_id: str = "") -> Job:
        """Begin with what is probably an utterance already, where there is time."""
        return self._scheduler.early(self._model, likely.pcm, project_id)

    async def final(self, segment: SegmentReady, project_id: str = "", early: Job | None = None) -> Recognised:
        """The words of an utterance, in its project's turn; none if it was no speech.

        Raises:
            Unrecognisable: the model works, and cannot take it.
            Unavailable: the model does not work.
        """
        return await self._believed(
            segment, partial(self._scheduler.final, self._model, project_id=project_id, early=early)
        )

    async def recorded(self, segment: SegmentReady, project_id: str = "") -> Recognised:
        """The words of an utterance that was not spoken just now, which can wait; otherwise like `final`."""
        return await self._believed(segment, partial(self._scheduler.recorded, self._model, project_id=project_id))

    async def interim(self, due: InterimDue, project_id: str = "") -> Recognised | None:
        """The words so far, unless they are none."""
        heard = await self._scheduler.interim(self._model, due.pcm, project_id)
        if heard is None:
            INTERIMS_SHED.inc()
            return None
        return None if repeats_itself(heard.text) else heard

    async def _believed(self, segment: SegmentReady, recognise: Recognise) -> Recognised:
        heard = await self._tried(segment.pcm, recognise)
        if heard.text and not was_said(heard, segment.stats):
            NOT_SPEECH.inc()
            return self._nothing
        return heard

    async def _tried(self, pcm: Pcm, recognise: Recognise) -> Recognised:
        pauses = waits()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await recognise(pcm)
            except Exception as error:  # noqa: BLE001 - models raise what they like
                log().error("recognition_failed", attempt=attempt, exc_info=error)
            if attempt < ATTEMPTS:
                await asyncio.sleep(next(pauses))
        await self._must_work()
        raise Unrecognisable

    async def _must_work(self) -> None:
        try:
            await self._scheduler.final(self._model, self._known_good)
        except Exception as error:
            raise Unavailable("the model") from error
