"""`hostile`: what honest speakers pay for a neighbour that sends what no honest bot sends, each kind for itself.

A moderate number of speakers talk in real time, the same in each block, finals only. In every other block one bot of
another project sends one kind of bad audio, continuously. The ratio is that of the 95th percentiles of the finals'
delays, all rounds together; the calm blocks of a round stand between its hostile ones.
"""

import asyncio
import json
import tempfile
from collections import defaultdict
from pathlib import Path

from harness import Bar, check, headline, measure, percentile, progress
from hostile_load import KINDS
from line_process import LineProcess, line_process
from service import FINALS_ONLY, transcriber

BAR = Bar(1.2, at_most=True)
SPEAKERS = 30
"""About a third of what two cores hold."""

BLOCK_S = 12.0
COUNTED_FROM_S = 2.0
ROUNDS = 3
CALM_EVERY = 3
"""Hostile blocks between two calm ones."""

BEYOND_S = 3.0
"""Seconds that a bot goes on after the speakers, so that none of their words is heard in peace."""


async def calm_block(honest: LineProcess) -> list[float]:
    """The delays of everything that was said, in milliseconds."""
    answer = json.loads(await honest.ask(SPEAKERS, BLOCK_S))
    check(not answer["unaccounted"], f"{answer['unaccounted']} frames were never acknowledged")
    counted = [said for said in answer["said"] if said["end_s"] >= COUNTED_FROM_S]
    delays = [said["delay_s"] * 1_000 for said in counted if said["delay_s"] is not None]
    check(bool(delays), "nothing was heard")
    return delays


async def hostile_block(honest: LineProcess, hostile: LineProcess, kind: int) -> list[float]:
    """The same beside a hostile bot."""
    attack = asyncio.create_task(hostile.ask(kind, BLOCK_S + BEYOND_S))
    delays = await calm_block(honest)
    sent = json.loads(await attack)["sent"]
    check(sent > 0, f"nothing was sent of {KINDS[kind]}")
    return delays


async def main() -> None:
    """Start what is needed, and measure."""
    calm, beside = list[float](), defaultdict[str, list[float]](list)
    with tempfile.TemporaryDirectory() as name:
        progress("hostile: starting")
        async with (
            transcriber(Path(name), FINALS_ONLY) as running,
            line_process("density_load", running.address) as honest,
            line_process("hostile_load", running.address) as hostile,
        ):
            check(json.loads(await hostile.line()) == list(KINDS), "a kind is missing")
            await calm_block(honest)
            for turn in range(ROUNDS):
                for kind, what in enumerate(KINDS):
                    progress(f"hostile: round {turn + 1} of {ROUNDS}: {what}")
                    if kind % CALM_EVERY == 0:
                        calm += await calm_block(honest)
                    beside[what] += await hostile_block(honest, hostile, kind)
    floor = percentile(calm, 95)
    ratios = {what: percentile(delays, 95) / floor for what, delays in beside.items()}
    for what, delays in beside.items():
        print(
            f"  hostile: {what:17} p50 {percentile(delays, 50):4.0f}  p95 {percentile(delays, 95):4.0f} ms"
            f"  ({len(delays)} finals), {ratios[what]:.2f} of the calm p95"
        )
    print(f"  hostile: {'nobody':17} p50 {percentile(calm, 50):4.0f}  p95 {floor:4.0f} ms  ({len(calm)} finals)")
    worst = max(ratios, key=lambda what: ratios[what])
    print(f"  hostile: the worst is {worst}")
    headline("hostile", percentile(beside[worst], 95), floor, ratios[worst], BAR)


if __name__ == "__main__":
    measure(main())
