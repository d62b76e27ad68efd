"""What the demo shows, whatever it shows it on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from cortex_client.demo.measure import Report
from cortex_client.events import ReceivedEvent


@dataclass(frozen=True)
class Programme:
    """What is about to be heard.

    Attributes:
        title: of the meeting.
        names: of the speakers, by user id, in the order in which they are shown.
        seconds: how long it takes, at the speed at which it is played.
        speed: how many times faster than life.
    """

    title: str
    names: dict[str, str]
    seconds: float
    speed: float


@dataclass(frozen=True)
class Outcome:
    """How it went.

    Attributes:
        report: what was measured.
        endpoint_s: how much of each delay is the silence that ends an utterance, in seconds as they were waited; None
            when the transcriber does not say.
        events: how many events the outside consumer received.
    """

    report: Report
    endpoint_s: float | None
    events: int


class View(Protocol):
    """Takes what happens as it happens. A context manager around the whole demo, made for one `Programme`."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def step(self, what: str) -> None:
        """A step of the set-up is done."""
        ...

    def begins(self) -> None:
        """The meeting begins."""
        ...

    def saying(self, user_id: str, text: str, stable: int) -> None:
        """Somebody speaks; this is their text so far, of which so many characters stay."""
        ...

    def said(self, user_id: str, text: str) -> None:
        """A message became readable."""
        ...

    def noted(self, text: str) -> None:
        """A note of the system became readable."""
        ...

    def received(self, event: ReceivedEvent) -> None:
        """An outside consumer received an event."""
        ...

    def ends(self, outcome: Outcome) -> None:
        """The meeting is over."""
        ...


def short_subject(event: ReceivedEvent) -> str:
    """What an event is about, for a narrow column: an id's end tells resources apart, its beginning is the time."""
    resource, _, resource_id = event.subject.partition(":")
    return f"{resource} …{resource_id[-6:]}"


def milliseconds(seconds: Sequence[float] | float) -> str:
    """A delay, or the mean of several, for people."""
    values = [seconds] if isinstance(seconds, float) else list(seconds)
    return f"{sum(values) / len(values) * 1_000:.0f} ms" if values else "-"
