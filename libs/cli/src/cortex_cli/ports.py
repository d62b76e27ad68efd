"""What hears files, wherever that happens."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cortex_cli.transcript import Utterance

Told = Callable[[float, float | None], None]
"""Is given the seconds heard so far, and how many there are, None while nobody knows."""


@dataclass(frozen=True)
class Heard:
    """What was said in a recording of so many seconds."""

    duration: float
    utterances: tuple[Utterance, ...]


class Hearer(Protocol):
    """Hears whole files."""

    async def hear(self, data: bytes, told: Told) -> Heard:
        """Hear one.

        Raises:
            Complaint: it cannot be heard; says why.
        """
        ...
