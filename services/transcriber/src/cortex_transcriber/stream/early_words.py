"""The words of what is probably an utterance already: recognised in the pause that may end it.

Half of the silence that ends an utterance is enough to know what audio it will have, and in the other half most are
recognised. The words are the same: they follow from the samples alone.
"""

import asyncio

from cortex_transcriber.speech.events import EndLikely, SegmentReady
from cortex_transcriber.speech.scheduler import Job
from cortex_transcriber.stream.metrics import EARLY
from cortex_transcriber.stream.ports import Recognition


class EarlyWords:
    """What was begun early of one speaker: one utterance at most."""

    def __init__(self, recognition: Recognition, project_id: str) -> None:
        self._recognition = recognition
        self._project_id = project_id
        self._likely: EndLikely | None = None
        self._begun: Job | None = None

    def likely(self, event: EndLikely) -> None:
        """Begin with an utterance, unless it is known in the same turn that it is none, or is over."""
        self.forget()
        self._likely = event
        asyncio.get_running_loop().call_soon(self._begin, event)

    def of(self, segment: SegmentReady) -> Job | None:
        """What was begun of this very utterance."""
        likely, begun = self._likely, self._begun
        if likely is None or begun is None or not _same(likely, segment):
            self.forget()
            return None
        self._likely = self._begun = None
        EARLY.labels("used" if begun.begun else "shed").inc()
        return begun

    def forget(self) -> None:
        """Speech went on, or nobody listens any more."""
        if self._begun:
            EARLY.labels("vain").inc()
            self._begun.drop()
        self._likely = self._begun = None

    def _begin(self, event: EndLikely) -> None:
        if self._likely is event:
            self._begun = self._recognition.early(event, self._project_id)


def _same(likely: EndLikely, segment: SegmentReady) -> bool:
    return (likely.first_sequence, likely.last_sequence) == (segment.first_sequence, segment.last_sequence)
