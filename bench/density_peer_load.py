"""The clients of the peer in `density`, a process of their own: who hands over each utterance when it was spoken.

The argument is the server's port. A line `SPEAKERS SECONDS` is answered as `density_load.py` answers it; the delay
counts from the end of an utterance.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from bots import Said
from conversations import Pcm
from cortex_transcriber.settings import SHIPPED_MODEL
from cortex_transcriber.shipped_model import RECORDINGS_FOLDER
from density_load import ANSWERED_WITHIN, Heard
from floors.sherpa_server import Line, packed
from pacing import paced
from talk import FRAME, PADDING, Turn, talk, utterances


async def block(port: int, speakers: int, seconds: float, said: Sequence[Pcm]) -> Heard:
    """So many speakers for so long, and until all they said is answered."""
    lines = [await Line.open(port) for _ in range(speakers)]
    listening = [asyncio.create_task(line.listen()) for line in lines]
    plans = [[(turn.end_s, turn.speaker, _packed(turn, said)) for turn in own] for own in talk(speakers, seconds, said)]
    late: list[float] = []
    began = time.perf_counter() + 0.5
    async with asyncio.timeout(seconds + ANSWERED_WITHIN), asyncio.TaskGroup() as group:
        answers = [
            group.create_task(_answered(lines[turn.speaker].hand_over(utterance), turn, began))
            async for turn, utterance in paced(plans, began, late)
        ]
    for task, line in zip(listening, lines, strict=True):
        task.cancel()
        line.close()
    return Heard(said=[answer.result() for answer in answers], late_s=sorted(late)[int(len(late) * 0.99)])


def _packed(turn: Turn, said: Sequence[Pcm]) -> tuple[Turn, bytes]:
    return turn, packed(np.pad(said[turn.utterance][: turn.frames * FRAME], PADDING))


async def _answered(answer: "asyncio.Future[str]", turn: Turn, began: float) -> Said:
    text = await answer
    return Said(turn.speaker, turn.utterance, turn.end_s, time.perf_counter() - began - turn.end_s, text)


async def main(port: int) -> None:
    """Answer line by line."""
    said = utterances(SHIPPED_MODEL / RECORDINGS_FOLDER)
    while line := await asyncio.to_thread(sys.stdin.readline):
        speakers, seconds = line.split()
        print(json.dumps(asdict(await block(port, int(speakers), float(seconds), said))), flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
