"""Tells what became of a peer's frames, while they come and not only when it is gone: rooms last for hours."""

from dataclasses import fields

from cortex_transcriber.speech.ordering import Counters
from cortex_transcriber.stream.intake import Intake
from cortex_transcriber.stream.metrics import FRAMES

_FATES = {field.name: FRAMES.labels(field.name) for field in fields(Counters)}


class FrameCounts:
    """What was told so far of one peer's counters."""

    def __init__(self, counters: Counters, intake: Intake) -> None:
        self._counters = counters
        self._intake = intake
        self._told = dict.fromkeys(_FATES, 0)

    def tell(self) -> None:
        """Add what is new to the metric."""
        for fate, metric in _FATES.items():
            now = getattr(self._counters, fate) + (self._intake.ignored if fate == "resent" else 0)
            if now > self._told[fate]:
                metric.inc(now - self._told[fate])
                self._told[fate] = now
