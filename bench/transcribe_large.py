"""`transcribe-large`: the whole transcriber with a model of production size, against a bare loop over that model.

Ours is as in `transcribe`: the whole process, gRPC with 100 ms messages, gate, voice detection, features, recognition
one at a time, finals that are stored and published. The floor is handed the segments that ours cut, as features, and
runs the model over them, in batches of the size at which it is cheapest.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import large_model
from conversations import Conversation, conversations
from cortex.transcriber.v1.transcriber_service_pb2 import FinalText
from cortex_transcriber.settings import SHIPPED_MODEL
from cortex_transcriber.shipped_model import RECORDINGS_FOLDER
from cortex_transcriber.speech.pcm import to_float
from floors.ctc_loop import CtcLoop, Floats
from harness import Bar, Pairs, check, in_turn, measure, progress
from room import FRAME_BYTES, finals_of
from service import FINALS_ONLY, Running, transcriber

BAR = Bar(0.85)
ROUNDS = 5
"""Few: a block of each takes ten seconds of CPU, and does the same work each time."""

RATE = 16_000
FRAME = FRAME_BYTES // 2


@dataclass(frozen=True)
class Segment:
    """What was heard as one, and what the model made of it."""

    samples: Floats
    text: str


@dataclass
class Ours:
    """The transcriber, and what it heard last."""

    running: Running
    rooms: Sequence[Conversation]
    segments: Sequence[Segment] = ()

    async def block(self) -> float:
        """CPU seconds for all rooms at once."""
        before = self.running.cpu_seconds()
        finals = await asyncio.gather(*[finals_of(self.running.address, room) for room in self.rooms])
        used = self.running.cpu_seconds()["transcriber"] - before["transcriber"]
        heard = [segments_of(room, told) for room, told in zip(self.rooms, finals, strict=True)]
        self.segments = [segment for segments in heard for segment in segments]
        return used


def segments_of(room: Conversation, finals: Sequence[Sequence[FinalText]]) -> list[Segment]:
    """The audio of each final."""
    return [
        Segment(to_float(track.pcm[final.first_sequence * FRAME : (final.last_sequence + 1) * FRAME]), final.text)
        for track, told in zip(room, finals, strict=True)
        for final in told
    ]


def check_pieces(ours: Ours, floor: CtcLoop) -> None:
    """The same pieces in the same segments, each of them."""
    for index, segment in enumerate(ours.segments):
        said = " ".join(f"w{piece}" for piece in floor.pieces[index])
        check(segment.text == said, f"segment {index} differs: {segment.text} and {said}")


@asynccontextmanager
async def contenders(folder: Path) -> AsyncIterator[tuple[Ours, CtcLoop]]:
    """The service with the model, and the loop over what it cuts."""
    rooms = conversations(SHIPPED_MODEL / RECORDINGS_FOLDER)
    progress("transcribe-large: making the model")
    model = folder / "model"
    model.mkdir()
    parameters = large_model.build(model)
    one_core = {"CORTEX_MODEL_WORKERS": "1", "CORTEX_MODEL_MEASURE": "false"}
    settings = {**FINALS_ONLY, **one_core, "CORTEX_MODEL_DIR": str(model)}
    async with transcriber(folder, settings) as running:
        ours = Ours(running, rooms)
        progress("transcribe-large: hearing once")
        await ours.block()
        samples = [segment.samples for segment in ours.segments]
        progress("transcribe-large: looking for the best batch")
        floor = await asyncio.to_thread(CtcLoop, model, large_model.FAMILY, large_model.SUBSAMPLING, samples)
        check_pieces(ours, floor)
        pieces = sum(map(len, floor.pieces.values()))
        print(
            f"  transcribe-large: {parameters / 1e6:.0f} million parameters; {len(samples)} segments, {pieces} pieces"
        )
        yield ours, floor


async def main() -> None:
    """Make the model, start the service, and measure."""
    with tempfile.TemporaryDirectory() as folder:
        async with contenders(Path(folder)) as (ours, floor):
            used, needed = await in_turn([ours.block, floor.block], ROUNDS, "transcribe-large")
            check_pieces(ours, floor)
    speech = sum(len(segment.samples) for segment in ours.segments) / RATE
    tried = ", ".join(f"{size}: {speech / cost:.2f}" for size, cost in floor.tried.items())
    print(f"  transcribe-large: {speech:.0f} s of speech; the floor by size of its batch: {tried}")
    Pairs([speech / each for each in used], [speech / each for each in needed]).report(
        "transcribe-large", "seconds of speech in a CPU second", BAR
    )


if __name__ == "__main__":
    measure(main())
