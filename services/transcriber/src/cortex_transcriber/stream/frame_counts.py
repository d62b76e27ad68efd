"""Tells what became of a peer's frames, while they come and not only when it is gone: rooms last for hours."""

from dataclasses import asdict

from cortex_transcriber.speech.ordering import Counters
from cortex_transcriber.stream.intake import Intake
from cortex_transcriber.stream.metrics import FRAMES


class FrameCounts:
    """What was told so far of one peer's counters."""

    def __init__(self, counters: Counters, intake: Intake) -> None:
        self._counters = counters
        self._intake = intake
        self._told = dict.fromkeys(asdict(counters), 0)

    def tell(self) -> None:
        """Add what is new to the metric."""
        now = asdict(self._counters)
        now["resent"] += self._intake.ignored
        for fate, frames in now.items():
            FRAMES.labels(fate).inc(frames - self._told[fate])
        self._told = now
