"""`python -m soak.speakers`: SOAK_MINUTES of as many speakers as are held, and for a while three times as many.

The bots are those of `bench/density.py`: rooms of five who talk 30 % of the time, in real time, with interim texts on.
"""

import asyncio
import math
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import grpc
from bots import ROOM, Bot, Said
from cortex_runtime.adapters.embedded.ports import free_port
from cortex_transcriber.settings import SHIPPED_MODEL
from cortex_transcriber.shipped_model import RECORDINGS_FOLDER
from harness import percentile
from service import Running, transcriber
from speaking import AFTERWARDS_S
from talk import Turn, talk, utterances

from soak.observing import Observation, Observer, Prober, is_busy
from soak.terminal import FAILED, INTERRUPTED, OK, WRONG_USE, say

MINUTES, SPEAKERS = "10", "175"
"""So many speakers are what `density` holds on two cores of the machine that its figures are from."""

SHORTEST_MINUTES = 3.0
"""Below it there is no time to be late in, and to recover from that."""

CALM, CROWDED, RECOVERED = 0.5, 0.56, 0.85
"""Shares of the time: the crowd comes and goes at the first two, and at the third all must be well again. What it
leaves to be done takes about four times as long as it stays."""

WARM = 0.25
"""Share of the time after which memory must stay: each thread has by then recognised the longest utterances."""

CROWD = 3
LINE_EVERY_S = 10.0
DELAY_MS = 500.0
GROWTH_MB = 25.0
"""That memory may grow by between the beginning and the end of the calm: what an allocator keeps of its peaks."""

UNHEARD_AT_MOST = 0.03
"""Of the utterances; a syllable cut out of a sentence may be no speech to the detector, and is acknowledged so."""

ANSWERED_WITHIN = 120.0


@dataclass(frozen=True)
class Wanted:
    """What the environment asks for."""

    minutes: float
    speakers: int

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """Raises ValueError, which says what is wrong."""
        try:
            minutes = float(environment.get("SOAK_MINUTES") or MINUTES)
            speakers = int(environment.get("SPEAKERS") or SPEAKERS)
        except ValueError:
            raise ValueError("SOAK_MINUTES is a number and SPEAKERS a whole one") from None
        if not (math.isfinite(minutes) and minutes >= SHORTEST_MINUTES):
            raise ValueError(f"SOAK_MINUTES must be at least {SHORTEST_MINUTES:g}")
        if speakers < ROOM:
            raise ValueError(f"SPEAKERS must be at least {ROOM}")
        return cls(minutes, speakers)


class Crowd:
    """Speakers who come at once.

    Args:
        talking: what each says.
        seconds: for which they do.
        pcm: the utterances.
    """

    def __init__(self, talking: Sequence[Sequence[Turn]], seconds: float, pcm: Sequence[bytes]) -> None:
        until = seconds + AFTERWARDS_S
        self._until = until
        self.refused = 0
        self.bots = [Bot(talking[first : first + ROOM], until, pcm) for first in range(0, len(talking), ROOM)]

    @property
    def said(self) -> list[Said]:
        """What they said, and what is known of it so far."""
        return [said for bot in self.bots for own in bot.said for said in own]

    async def talk(self, address: str) -> None:
        """Come, talk, and wait for the last final."""
        async with (
            grpc.aio.insecure_channel(address) as channel,
            asyncio.timeout(self._until + ANSWERED_WITHIN),
            asyncio.TaskGroup() as group,
        ):
            for bot in list(self.bots):
                group.create_task(self._carried(bot, channel))
                await bot.ready.wait()
            began = time.perf_counter()
            for bot in self.bots:
                bot.began.set_result(began)

    async def _carried(self, bot: Bot, channel: grpc.aio.Channel) -> None:
        """Be heard, or go away when nobody has time."""
        try:
            await bot.run(channel, interims=True)
        except grpc.aio.AioRpcError as failed:
            if bot.began.done() or not is_busy(failed):
                raise
            self.bots.remove(bot)
            self.refused += 1
            bot.ready.set()


@dataclass
class Soak:
    """The run.

    Attributes:
        crowds: who speaks all the time, and who comes in between.
    """

    seconds: float
    crowds: tuple[Crowd, Crowd]
    observer: Observer
    prober: Prober

    async def run(self, address: str) -> None:
        """Let them talk, and write a line every ten seconds."""
        steady, more = self.crowds
        async with asyncio.TaskGroup() as group:
            observing = group.create_task(self._observe())
            probing = group.create_task(self.prober.probe())
            talking = group.create_task(steady.talk(address))
            await steady.bots[-1].began
            await asyncio.sleep(self.seconds * CALM)
            await more.talk(address)
            say(f"{'':9}the crowd has its answers; {more.refused} of its rooms were refused")
            await talking
            observing.cancel()
            probing.cancel()

    async def _observe(self) -> None:
        steady, _ = self.crowds
        began = await steady.bots[-1].began
        say(HEADINGS)
        while True:
            await asyncio.sleep(LINE_EVERY_S)
            at = time.perf_counter() - began
            seen = await self.observer.look(at)
            delays = delays_of(steady.said, at - 3 * LINE_EVERY_S, at - LINE_EVERY_S)
            say(line_of(seen, delays, self.prober))


HEADINGS = "      s   RSS MB   p50 ms   p95 ms   late s   interims shed   streams refused, opened"


def line_of(seen: Observation, delays: Sequence[float], prober: Prober) -> str:
    """One line of the table; the delays are those of what was said ten to thirty seconds ago."""
    p50, p95 = (percentile(delays, percent) * 1_000 if delays else math.nan for percent in (50, 95))
    return (
        f"{seen.at_s:7.0f}  {seen.rss_mb:7.1f}  {p50:7.0f}  {p95:7.0f}  {seen.lateness_s:7.1f}  {seen.shed:14.0f}"
        f"  {prober.refused:15}, {prober.opened}"
    )


def delays_of(said: Sequence[Said], since: float, until: float) -> list[float]:
    """Of what was said to its end in between; what is still owed counts as never."""
    return [math.inf if each.delay_s is None else each.delay_s for each in said if since <= each.end_s < until]


def findings(soak: Soak) -> list[str]:
    """What is not as it should be."""
    steady, more = soak.crowds
    everything = [*steady.said, *more.said]
    unheard = sum(said.delay_s is None for said in everything)
    lost = sum(bot.unaccounted for crowd in soak.crowds for bot in crowd.bots)
    grown = soak.observer.growth_mb(soak.seconds * WARM, soak.seconds * CALM)
    recovered = p95_ms(steady.said, soak.seconds * RECOVERED, soak.seconds)
    rules = [
        (not lost, f"{lost} frames were never acknowledged"),
        (unheard <= UNHEARD_AT_MOST * len(everything), f"{unheard} of {len(everything)} utterances have no final"),
        (grown <= GROWTH_MB, f"memory grew by {grown:.1f} MB while nothing changed"),
        (soak.observer.shed > 0, "no interim was shed"),
        (soak.prober.refused > 0, "no stream was refused when finals were late"),
        (soak.prober.opened_last, "streams are still refused at the end"),
        (recovered < DELAY_MS, f"p95 is {recovered:.0f} ms after the crowd has left"),
    ]
    return [finding for holds, finding in rules if not holds]


def p95_ms(said: Sequence[Said], since: float, until: float) -> float:
    """Of what had a final."""
    return percentile([each for each in delays_of(said, since, until) if each < math.inf], 95) * 1_000


def summary(soak: Soak) -> str:
    """What there is to say in the end."""
    steady, more = soak.crowds
    calm = p95_ms(steady.said, LINE_EVERY_S, soak.seconds * CALM)
    crowded = p95_ms(steady.said, soak.seconds * CALM, soak.seconds * CROWDED)
    recovered = p95_ms(steady.said, soak.seconds * RECOVERED, soak.seconds)
    grown = soak.observer.growth_mb(soak.seconds * WARM, soak.seconds * CALM)
    most = ROOM * (len(steady.bots) + len(more.bots))
    utterances_said = len(steady.said) + len(more.said)
    return (
        f"{utterances_said} utterances; p95 {calm:.0f} ms, among {most} speakers {crowded:.0f} ms, "
        f"afterwards {recovered:.0f} ms; memory grew by {grown:.1f} MB in the calm; {soak.observer.shed:.0f} interims "
        f"shed, {soak.prober.refused + more.refused} streams refused, no frame lost"
    )


@asynccontextmanager
async def _soak(wanted: Wanted) -> AsyncIterator[tuple[Soak, Running]]:
    said = utterances(SHIPPED_MODEL / RECORDINGS_FOLDER)
    pcm = [each.astype("<i2").tobytes() for each in said]
    seconds = wanted.minutes * 60
    crowded = seconds * (CROWDED - CALM)
    more = talk(CROWD * wanted.speakers, crowded, said)[wanted.speakers :]
    with tempfile.TemporaryDirectory() as folder:
        admin_port = free_port()
        async with (
            transcriber(Path(folder), {"CORTEX_ADMIN_PORT": str(admin_port)}) as running,
            Prober.of(running) as prober,
        ):
            crowds = Crowd(talk(wanted.speakers, seconds, said), seconds, pcm), Crowd(more, crowded, pcm)
            yield Soak(seconds, crowds, Observer(running, admin_port), prober), running


async def _run(wanted: Wanted) -> list[str]:
    async with _soak(wanted) as (soak, running):
        await soak.run(running.address)
        found = findings(soak)
        if not found:
            say(f"soak ok: {summary(soak)}")
    return found


def main() -> int:
    """Run; the exit status."""
    try:
        wanted = Wanted.of(os.environ)
    except ValueError as error:
        say(f"soak: {error}")
        return WRONG_USE
    say(f"soak: {wanted.minutes:g} minutes, {wanted.speakers} speakers, then {CROWD * wanted.speakers}")
    try:
        found = asyncio.run(_run(wanted))
    except KeyboardInterrupt:
        say("soak stopped")
        return INTERRUPTED
    for finding in found:
        say(f"soak found: {finding}")
    return FAILED if found else OK


if __name__ == "__main__":
    sys.exit(main())
