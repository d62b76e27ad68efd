"""What one peer is saying, so far: told to whoever listens now, never stored, the first thing to be left out."""

import asyncio

from cortex.transcriber.v1.live_pb2 import LiveInterim
from cortex_eventing.cancelling import cancel_until_ended
from cortex_eventing.times import span

from cortex_transcriber.speech.agreeing import Agreed, Agreement
from cortex_transcriber.speech.events import InterimDue
from cortex_transcriber.stream import answers
from cortex_transcriber.stream.parts import Parts
from cortex_transcriber.stream.whose import Whose


class SoFar:
    """Recognises utterances that go on, one attempt at a time, always the newest."""

    def __init__(self, whose: Whose, parts: Parts) -> None:
        self._whose = whose
        self._venue = whose.venue
        self._parts = parts
        self._over_through = -1
        self._due: InterimDue | None = None
        self._telling: asyncio.Task[None] | None = None
        self._agreement, self._agreed_on = Agreement(), -1

    def due(self, event: InterimDue) -> None:
        """Tell what was said so far, once the attempt before this one is done."""
        self._due = event
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_all())
            self._telling.add_done_callback(_report)

    def over(self, last_sequence: int) -> None:
        """The utterance has ended: its final text comes."""
        self._over_through = last_sequence

    async def stop(self) -> None:
        """Tell nothing more."""
        if self._telling:
            await cancel_until_ended(self._telling)

    async def _tell_all(self) -> None:
        while (due := self._due) is not None:
            self._due = None
            if due.first_sequence > self._over_through:
                await self._tell(due)

    async def _tell(self, due: InterimDue) -> None:
        recognised = await self._venue.recognition.interim(due, self._venue.session.project_id)
        if recognised is None or not recognised.text or due.first_sequence <= self._over_through:
            return
        live = self._live(due, self._agreement_on(due.first_sequence).heard(recognised.text))
        await self._parts.live.say(self._venue.session.project_id, live)
        if self._venue.include_interim:
            await self._venue.outbox.offer(answers.interim(self._whose.arrival.handle, live))

    def _agreement_on(self, first_sequence: int) -> Agreement:
        """What is stable of the utterance that begins there; it is forgotten when another one is told of."""
        if first_sequence != self._agreed_on:
            self._agreement, self._agreed_on = Agreement(), first_sequence
        return self._agreement

    def _live(self, due: InterimDue, agreed: Agreed) -> LiveInterim:
        began = self._whose.arrival.numbering.began(due.first_sequence)
        return LiveInterim(
            session_id=self._venue.session.session_id,
            participant_id=self._whose.person.participant_id,
            peer_id=self._whose.arrival.peer_id,
            text=agreed.text,
            start_offset=span(began - self._venue.session.zero_at),
            stable_length=agreed.stable_length,
        )


def _report(telling: "asyncio.Task[None]") -> None:
    """A defect costs interim texts only, and is logged."""
    if not telling.cancelled() and (error := telling.exception()):
        telling.get_loop().call_exception_handler({"message": "interim texts failed", "exception": error})
