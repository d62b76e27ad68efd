"""The bots of `density` and `finalize`, a process of their own.

The argument is the service's address. A line `SPEAKERS SECONDS` is answered by a line of JSON, see `Heard`.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import grpc
from bots import ROOM, Bot, Said
from conversations import Pcm
from cortex_transcriber.settings import SHIPPED_MODEL
from cortex_transcriber.shipped_model import RECORDINGS_FOLDER
from speaking import AFTERWARDS_S
from talk import talk, utterances

ANSWERED_WITHIN = 60.0
"""Seconds after the last word, joining included, for everything to be answered."""


@dataclass
class Heard:
    """What came of a block.

    Attributes:
        said: every turn.
        unaccounted: frames that were sent and not acknowledged at the end.
        late_s: by how many seconds messages went later than planned, the 99th percentile.
        interims: interim texts that came.
    """

    said: list[Said] = field(default_factory=list)
    unaccounted: int = 0
    late_s: float = 0.0
    interims: int = 0


async def block(channel: grpc.aio.Channel, speakers: int, seconds: float, said: Sequence[Pcm]) -> Heard:
    """So many speakers for so long, and until all they said is answered."""
    pcm = [each.astype("<i2").tobytes() for each in said]
    everybody = talk(speakers, seconds, said)
    until = seconds + AFTERWARDS_S
    bots = [Bot(everybody[first : first + ROOM], until, pcm) for first in range(0, speakers, ROOM)]
    async with asyncio.timeout(until + ANSWERED_WITHIN), asyncio.TaskGroup() as group:
        for bot in bots:
            group.create_task(bot.run(channel, interims=False))
            await bot.ready.wait()
        began = time.perf_counter() + 0.5
        for bot in bots:
            bot.began.set_result(began)
    late = sorted(seconds for bot in bots for seconds in bot.late)
    return Heard(
        said=[each for bot in bots for own in bot.said for each in own],
        unaccounted=sum(bot.unaccounted for bot in bots),
        late_s=late[int(len(late) * 0.99)],
        interims=sum(bot.interims for bot in bots),
    )


async def main(address: str) -> None:
    """Answer line by line."""
    said = utterances(SHIPPED_MODEL / RECORDINGS_FOLDER)
    async with grpc.aio.insecure_channel(address) as channel:
        while line := await asyncio.to_thread(sys.stdin.readline):
            speakers, seconds = line.split()
            heard = await block(channel, int(speakers), float(seconds), said)
            print(json.dumps(asdict(heard)), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
