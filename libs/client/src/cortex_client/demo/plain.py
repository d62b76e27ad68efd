"""The demo as lines of text, for pipes and logs."""

import sys
import time
from typing import Self, TextIO

from cortex_client.demo.measure import SpeakerReport, percentile
from cortex_client.demo.view import Outcome, Programme, milliseconds, short_subject
from cortex_client.events import ReceivedEvent


class PlainView:
    """One line for each thing that happens, with the seconds since the step or the meeting began."""

    def __init__(self, programme: Programme, out: TextIO = sys.stdout) -> None:
        self._programme = programme
        self._out = out
        self._since = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._out.flush()

    def step(self, what: str) -> None:
        """A step of the set-up is done."""
        self._line(what)

    def begins(self) -> None:
        """The meeting begins."""
        self._since = time.monotonic()
        programme = self._programme
        self._line(f"{programme.title}: {programme.seconds:.0f} s, {', '.join(programme.names.values())}")

    def saying(self, user_id: str, text: str, _stable: int) -> None:
        """Somebody speaks; this is their text so far."""
        self._line(f"{self._name(user_id)} … {text}")

    def said(self, user_id: str, text: str) -> None:
        """A message became readable."""
        self._line(f"{self._name(user_id)}: {text}")

    def noted(self, text: str) -> None:
        """A note of the system became readable."""
        self._line(f"[{text}]")

    def received(self, event: ReceivedEvent) -> None:
        """An outside consumer received an event."""
        self._line(f"    event {event.type} {short_subject(event)}")

    def ends(self, outcome: Outcome) -> None:
        """The meeting is over."""
        self._line(f"{outcome.events} events received on JetStream")
        if outcome.endpoint_s is not None:
            self._line(f"{milliseconds(outcome.endpoint_s)} of each delay are the silence that ends an utterance")
        for speaker in outcome.report.speakers:
            self._line(self._summary(speaker))

    def _summary(self, speaker: SpeakerReport) -> str:
        delays = speaker.delays
        p95 = milliseconds(percentile(delays, 0.95)) if delays else "-"
        return (
            f"{self._name(speaker.user_id)}: {speaker.messages} messages, {speaker.errors.words} words,"
            f" word error rate {speaker.errors.rate:.2f}, delay mean {milliseconds(delays)}, p95 {p95}"
        )

    def _name(self, user_id: str) -> str:
        return self._programme.names.get(user_id, user_id)

    def _line(self, text: str) -> None:
        self._out.write(f"{time.monotonic() - self._since:6.1f} s  {text}\n")
        self._out.flush()
