"""Faults, one after the other, once a minute the checker, and then a crowd."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from soak.crowds import Crowds
from soak.faults import chosen
from tests.faults.installation import LAST_WORDS, SERVICES, Installation
from tests.faults.traffic import Traffic
from tests.faults.verdict import Trial

ROUND = 60.0
"""Seconds of faults before all is compared: a finding is then not far from its cause."""

LONGEST_PAUSE = 2.0
"""Seconds before a fault strikes, at most: about as long as a room is played."""

Say = Callable[[str], None]


@dataclass
class Tally:
    """What there has been so far.

    Attributes:
        faults: that struck.
        rounds: that the checker found nothing in.
        acknowledged: answers to commands, and utterances that a bot was told of.
        crowds: of fifty streams, each heard once whatever befell it.
    """

    faults: int = 0
    rounds: int = 0
    acknowledged: int = 0
    crowds: int = 0


class Soak:
    """Faults in rounds.

    Args:
        trial: the installation and its checker.
        crowds: speak after each round.
        chance: makes every choice.
        say: told a line at a time.
    """

    def __init__(self, trial: Trial, crowds: Crowds, chance: Random, say: Say) -> None:
        self.tally = Tally()
        self._trial = trial
        self._crowds = crowds
        self._chance = chance
        self._say = say
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()

    async def run(self, seconds: float) -> None:
        """Go on for so long, and to the end of the round.

        Raises:
            Exception: whatever was found, in a group as a rule; an AssertionError is a finding of the checker's.
        """
        until = self._began + seconds
        while self._clock() < until:
            before = self.tally.acknowledged
            async with self._trial.nothing_is_lost() as traffic:
                round_ends = min(until, self._clock() + ROUND)
                while self._clock() < round_ends:
                    await self._strike(traffic, before)
            self.tally.acknowledged = before + acknowledged(traffic)
            self.tally.rounds += 1
            self._line("checked: nothing lost, nothing twice")
            await self._crowds.speak(self._chance)
            self.tally.crowds += 1
            self._line("a crowd was heard, nothing lost, nothing twice")

    async def _strike(self, traffic: Traffic, before: int) -> None:
        """One fault, and proof that the traffic goes on behind it."""
        fault, pause = chosen(self._chance), self._chance.uniform(0, LONGEST_PAUSE)
        await asyncio.sleep(pause)
        self.tally.acknowledged = before + acknowledged(traffic)
        self._line(fault.what)
        await fault.strike(self._trial)
        self.tally.faults += 1
        await traffic.goes_on()
        for name in SERVICES:
            check_that_it_runs(self._trial.installed, name)

    def _line(self, what: str) -> None:
        self._say(f"{self._clock() - self._began:7.1f} s  {what}; acknowledged: {self.tally.acknowledged}")


def acknowledged(traffic: Traffic) -> int:
    """What the callers and the bots were told so far."""
    return traffic.ledger.answers + len(traffic.ledger.finals)


def check_that_it_runs(installed: Installation, name: str) -> None:
    """Raises AssertionError when a service has ended though nobody killed it."""
    if not installed.running(name):
        raise AssertionError(f"{name} has ended by itself:\n{installed.output(name)[-LAST_WORDS:]}")
