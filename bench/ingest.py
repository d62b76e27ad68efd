"""`ingest`: CPU for each frame of 20 ms that comes in, against a bare gRPC server that reads the same messages.

Ours is the whole process of the transcriber while 20 bots with ten rooms each send what microphones hear in silent
rooms: it receives, tells peers apart, checks formats and numbers, keeps receipts, writes into the rings, finds by the
gate that it is silence, passes over it, and acknowledges it every six seconds. The voice detector is never called.
Whatever else the process does meanwhile is in the figure: the relay's looks, the record of who is where, metrics.
"""

import json
import statistics
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness import Bar, Pairs, check, in_turn, measure, progress
from line_process import LineProcess, line_process
from service import FINALS_ONLY, transcriber

BAR = Bar(1.3, at_most=True)
BAR_5 = Bar(0.4, at_most=True)
ROUNDS = 5
"""Fewer than elsewhere: these are CPU seconds of deterministic work, which a busy machine disturbs less, and the blocks
are long."""

STREAMS = 200
SECONDS = 6.0
"""Of a block: from one acknowledgement of silence to the next, so that each speaker's share of them is in it."""

LATE = 0.02
"""Seconds that the hundredth message may be late, one frame; otherwise its round does not count. What comes later than
that comes in heaps, and heaps are cheaper to take in."""


@dataclass
class Contender:
    """A server, the streams that it is sent, and how it goes."""

    load: LineProcess
    frames_a_message: int
    acknowledges: bool
    late: list[float] = field(default_factory=list)

    async def block(self) -> float:
        """Microseconds of CPU for a frame."""
        told = json.loads(await self.load.ask(STREAMS, self.frames_a_message, SECONDS))
        heard_out = STREAMS if self.acknowledges else 0
        for what in ("heard_out", "acknowledged"):
            check(told[what] == heard_out, f"{told[what]} of {heard_out} speakers were {what.replace('_', ' ')}")
        self.late.append(told["late"])
        return float(told["cpu_seconds"] / told["frames"] * 1e6)


@asynccontextmanager
async def contenders() -> AsyncIterator[list[Contender]]:
    """Ours and the floor, each with one frame a message and with five."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        service = await stack.enter_async_context(
            transcriber(folder, {**FINALS_ONLY, "CORTEX_MODEL_WORKERS": "1", "CORTEX_MODEL_THREADS": "1"})
        )
        sink = await stack.enter_async_context(line_process("floors/grpc_sink"))
        sink_address = (await sink.line()).strip()
        ours = line_process("paced_streams", service.address, str(service.process.pid), "answers")
        floor = line_process("paced_streams", sink_address, str(sink.pid))
        to_ours, to_floor = await stack.enter_async_context(ours), await stack.enter_async_context(floor)
        yield [
            Contender(load, frames, acknowledges=load is to_ours) for frames in (1, 5) for load in (to_ours, to_floor)
        ]


async def main() -> None:
    """Start what is needed, and measure."""
    progress("ingest: starting")
    async with contenders() as all_of_them:
        figures = await in_turn([each.block for each in all_of_them], ROUNDS, "ingest")
    late = [max(each.late[turn + 1] for each in all_of_them) for turn in range(ROUNDS)]  # the first was a warm-up
    counted = [turn for turn in range(ROUNDS) if late[turn] <= LATE]
    check(len(counted) * 2 > ROUNDS, f"this machine is too busy: messages were {max(late) * 1e3:.0f} ms late")
    ours, floor, ours_5, floor_5 = ([figure[turn] for turn in counted] for figure in figures)
    print(f"  ingest: {ROUNDS - len(counted)} of {ROUNDS} rounds left out, because messages were sent late")
    print(
        f"  ingest: the floor itself with five frames a message: {statistics.median(Pairs(floor_5, floor).ratios):.2f}"
    )
    Pairs(ours_5, floor).report("ingest-5", "microseconds of CPU for a frame", BAR_5)
    Pairs(ours, floor).report("ingest", "microseconds of CPU for a frame", BAR)


if __name__ == "__main__":
    measure(main())
