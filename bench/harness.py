"""How ratios are measured honestly: blocks of ours and the floor in turn, the ratio of each pair, the median of those.

Machines differ and drift; two blocks that ran within seconds of each other meet the same machine. Absolute figures
are printed beside each ratio, so that a slow floor cannot hide.
"""

import asyncio
import logging
import os
import random
import statistics
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import structlog
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

Block = Callable[[], Awaitable[float]]

RESAMPLES = 2000
"""Resamples of the bootstrap: its own noise is then well below one percent."""

WRONG_CALL = 2
"""The exit status of a program that was not called as it should be."""

INTERRUPTED = 130
"""The exit status after Ctrl-C, as shells give it."""

ANSWER_WITHIN = 1.0
"""Seconds for an answer to a question of health."""

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Bar:
    """What a ratio should be: at least the figure, or with `at_most` at most."""

    figure: float
    at_most: bool = False

    def met_by(self, ratio: float) -> bool:
        """Whether a ratio is good enough."""
        return ratio <= self.figure if self.at_most else ratio >= self.figure

    def __str__(self) -> str:
        return f"bar {'<=' if self.at_most else '>='} {self.figure:g}"


@dataclass
class Pairs:
    """Figures of ours and of the floor, pair by pair."""

    ours: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """Ours over the floor, of each pair."""
        return [ours / floor for ours, floor in zip(self.ours, self.floor, strict=True)]

    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the median ratio, by bootstrap."""
        chance = random.Random(1)  # noqa: S311 - resampling, no secret
        ratios = self.ratios
        medians = sorted(statistics.median(chance.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES))
        return medians[int(0.025 * RESAMPLES)], medians[int(0.975 * RESAMPLES)]

    def report(self, name: str, unit: str, bar: Bar) -> None:
        """Print the interval, and the line of this bar."""
        ours, floor = statistics.median(self.ours), statistics.median(self.floor)
        ratio = statistics.median(self.ratios)
        low, high = self.interval()
        print(
            f"  {name}: {len(self.ours)} pairs, median ratio {ratio:.2f}, 95 % interval {low:.2f} to {high:.2f}, {unit}"
        )
        headline(name, ours, floor, ratio, bar)


def headline(name: str, ours: float, floor: float, ratio: float, bar: Bar) -> None:
    """Print `bench NAME: OURS / FLOOR = RATIO (bar BAR)`, and say plainly when the bar is missed."""
    missed = "" if bar.met_by(ratio) else "  MISSED"
    print(f"bench {name}: {ours:.4g} / {floor:.4g} = {ratio:.2f} ({bar}){missed}", flush=True)


def measure(program: Coroutine[Any, Any, None]) -> None:
    """Run a program's coroutine; of the parts that it runs in this process only warnings are shown."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        asyncio.run(program)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


async def interleaved(ours: Block, floor: Block, pairs: int, what: str) -> Pairs:
    """Run both in turn, the order swapped each time (A B B A), after one uncounted block of each."""
    return Pairs(*await in_turn([ours, floor], pairs, what))


async def in_turn(blocks: Sequence[Block], rounds: int, what: str) -> Sequence[list[float]]:
    """Run blocks in turn, the order swapped each time, after one uncounted round; the figures of each block."""
    figures: list[list[float]] = [[] for _ in blocks]
    progress(f"{what}: warming up")
    for block in blocks:
        await block()
    for turn in range(rounds):
        progress(f"{what}: round {turn + 1} of {rounds}")
        order = range(len(blocks)) if turn % 2 == 0 else range(len(blocks) - 1, -1, -1)
        for index in order:
            figures[index].append(await blocks[index]())
    progress("")
    return figures


def progress(step: str) -> None:
    """One line that is written over, when somebody is looking; otherwise nothing."""
    if sys.stderr.isatty():
        print(f"\r\033[K{step}", end="", file=sys.stderr, flush=True)


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that `percent` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def cpu_seconds(pid: int) -> float:
    """The CPU time that a process and its finished children used, from /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) / TICKS


def tree_cpu_seconds(pid: int) -> float:
    """The same of a process and all that came from it."""
    return cpu_seconds(pid) + sum(tree_cpu_seconds(child) for child in _children(pid))


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text(encoding="ascii").split()]


async def healthy(channel: grpc.aio.Channel) -> bool:
    """Whether the service says so."""
    try:
        answer = await HealthStub(channel).Check(HealthCheckRequest(), timeout=ANSWER_WITHIN)
    except grpc.aio.AioRpcError:
        return False
    return bool(answer.status == HealthCheckResponse.SERVING)


def check(correct: bool, what: str) -> None:
    """A fast wrong answer is a fail: leave at once when a gate does not hold."""
    if not correct:
        sys.exit(f"bench: not correct: {what}")
