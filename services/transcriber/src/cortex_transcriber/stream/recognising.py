"""The words of segments, as far as they are to be believed."""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from cortex_runtime.logs import log
from prometheus_client import Counter

from cortex_transcriber.speech.events import InterimDue, SegmentReady
from cortex_transcriber.speech.plausibility import repeats_itself, was_said
from cortex_transcriber.speech.recogniser import Recognised, Samples

ATTEMPTS: Final = 2
"""At one segment. A model that fails twice on the same samples will fail for ever, and its speaker has more to say."""

UNRECOGNISED = Counter("cortex_transcriber_unrecognised_total", "Segments that the model could not take.")
NOT_SPEECH = Counter("cortex_transcriber_not_speech_total", "Segments whose words were not believed.")


class Scheduler(Protocol):
    """Who is recognised when."""

    async def final(self, samples: Samples) -> Recognised:
        """The words of a finished utterance."""
        ...

    async def interim(self, samples: Samples) -> Recognised | None:
        """The words so far; None when there was more urgent work."""
        ...


class BelievedRecognition:
    """The port `Recognition` on the scheduler."""

    def __init__(self, scheduler: Scheduler, model: str) -> None:
        self._scheduler = scheduler
        self._nothing = Recognised("", confidence=1.0, tokens=0, language="", model=model)

    async def final(self, segment: SegmentReady) -> Recognised:
        """The words of an utterance; none if it was no speech, or if the model cannot take it."""
        heard = await self._tried(lambda: self._scheduler.final(segment.samples))
        if heard is None:
            return self._nothing
        if heard.text and not was_said(heard, segment.stats):
            NOT_SPEECH.inc()
            return self._nothing
        return heard

    async def interim(self, due: InterimDue) -> Recognised | None:
        """The words so far, unless they are none."""
        heard = await self._scheduler.interim(due.samples)
        return None if heard is None or repeats_itself(heard.text) else heard

    async def _tried(self, recognise: Callable[[], Awaitable[Recognised]]) -> Recognised | None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await recognise()
            except Exception as error:  # noqa: BLE001 - models raise what they like
                log().error("recognition_failed", attempt=attempt, exc_info=error)
        UNRECOGNISED.inc()
        return None
