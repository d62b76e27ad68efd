"""`python -m soak`: SOAK_MINUTES of faults at random, SEED for the choices of an earlier run."""

import asyncio
import math
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random, SystemRandom
from typing import Self

from cortex_runtime.failures import leaves

from soak.crowds import Crowds
from soak.rounds import Soak, Tally
from soak.terminal import FAILED, INTERRUPTED, OK, WRONG_USE, say
from tests.faults.installation import installation
from tests.faults.speech import voices
from tests.faults.verdict import Trial, heard_in_calm

MINUTES = "10"
"""Enough for about two hundred faults; a night finds what is rarer."""

LARGEST_SEED = 10**9
"""So that a person can copy it."""


@dataclass(frozen=True)
class Wanted:
    """What the environment asks for."""

    minutes: float
    seed: int

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """Raises ValueError, which says what is wrong."""
        try:
            minutes = float(environment.get("SOAK_MINUTES") or MINUTES)
            seed = int(environment.get("SEED") or SystemRandom().randrange(LARGEST_SEED))
        except ValueError:
            raise ValueError("SOAK_MINUTES is a number above 0 and SEED a whole number") from None
        if not (math.isfinite(minutes) and minutes > 0):
            raise ValueError("SOAK_MINUTES must be a number above 0")
        return cls(minutes, seed)


def main() -> int:
    """Run; the exit status."""
    try:
        wanted = Wanted.of(os.environ)
    except ValueError as error:
        say(f"soak: {error}")
        return WRONG_USE
    say(f"soak: {wanted.minutes:g} minutes, SEED={wanted.seed}")
    logs = Path(tempfile.mkdtemp(prefix="cortex-soak-"))
    status = FAILED
    try:
        tally = asyncio.run(_ending_on_signals(wanted, logs))
        say(
            f"soak ok: {tally.faults} faults, {tally.rounds} checks, {tally.acknowledged} acknowledged, "
            f"{tally.crowds} crowds, nothing lost, nothing twice (SEED={wanted.seed})"
        )
        status = OK
    except (KeyboardInterrupt, asyncio.CancelledError):
        say(f"soak stopped (SEED={wanted.seed})")
        status = INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whatever it is, it was found
        for found in leaves(error):
            say(f"soak found: {type(found).__name__}: {found}")
        say(f"soak failed (SEED={wanted.seed}); the services' logs are in {logs}")
    if status != FAILED:
        shutil.rmtree(logs)
    return status


async def _ending_on_signals(wanted: Wanted, logs: Path) -> Tally:
    """End as on Ctrl-C when the terminal goes, or somebody asks politely."""
    task = asyncio.current_task()
    if task is not None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    async with installation(logs) as installed:
        trial = Trial(installed, voices(), await heard_in_calm(installed, voices()))
        soak = Soak(trial, Crowds(installed, say), Random(wanted.seed), say)  # noqa: S311 - chance that repeats is what is wanted
        await soak.run(wanted.minutes * 60)
        return soak.tally


if __name__ == "__main__":
    sys.exit(main())
