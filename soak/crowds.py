"""Between the rounds: fifty streams at two transcribers, with the scripted recogniser and the real one by turns."""

from collections.abc import Callable
from itertools import cycle
from random import Random

from tests.faults.crowd_trial import MODEL, CrowdTrial
from tests.faults.installation import Installation

ROOMS = 50


class Crowds:
    """One crowd after another.

    Args:
        say: told a line at a time.
    """

    def __init__(self, installed: Installation, say: Callable[[str], None]) -> None:
        scripted = CrowdTrial(installed, {}, True, ROOMS, say)
        self._turns = cycle([scripted, CrowdTrial(installed, MODEL, False, ROOMS, say)])

    async def speak(self, chance: Random) -> None:
        """Have the next one heard, whatever befalls it. Raises AssertionError, which says what was not."""
        await next(self._turns).run(Random(chance.random()))  # noqa: S311 - chance that repeats is what is wanted
