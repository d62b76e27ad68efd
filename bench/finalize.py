"""`finalize`: from the decision that an utterance is over to its final, against the bare recognition of the same audio.

Finals only, as many a second as 70 % of those at which this transcriber saturates, in real time. The decision falls
when the message arrives with which silence has lasted long enough. Cuts follow from the frames alone, so the bench
finds that message by listening itself to what was sent, beforehand; the segments that it finds are what the floor
recognises, one after the other, on an otherwise idle machine.
"""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from conversations import RATE, Pcm
from cortex_transcriber.adapters.decoders import new_decoder
from cortex_transcriber.adapters.recognisers import recognisers_of
from cortex_transcriber.adapters.silero import load_silero
from cortex_transcriber.settings import SHIPPED_MODEL, ModelSettings
from cortex_transcriber.shipped_model import RECORDINGS_FOLDER
from cortex_transcriber.speech.batching import VadBatcher
from cortex_transcriber.speech.events import SegmentReady
from cortex_transcriber.speech.frames import AudioFormat
from cortex_transcriber.speech.recogniser import Recogniser
from cortex_transcriber.speech.segmenting import Segmenting
from cortex_transcriber.speech.stream import SpeakerStream
from harness import Bar, check, headline, measure, percentile, progress
from line_process import LineProcess, line_process
from service import FINALS_ONLY, transcriber
from speaking import AFTERWARDS_S, ENDPOINT_S, spoken
from talk import FRAME_MS, FRAMES_A_SECOND, Turn, talk, utterances

BARS = {50: ("finalize", Bar(1.3, at_most=True)), 95: ("finalize-p95", Bar(2.5, at_most=True))}
SHARE = 0.7
BLOCK_S = 22.0
COUNTED_FROM_S = 4.0
ROUNDS = 3
CROWD, CROWD_S = 300, 20.0
"""Speakers in real time who want more than two cores can give, and for how many seconds, to saturate it."""

BUSY_FROM_S = 6.0
"""When there certainly is more to do than is done."""

WARM_UP = 10

UNHEARD_AT_MOST = 0.03
"""Of the utterances, as in `density`."""

Key = tuple[int, float]
"""A turn: who, and when it ended."""


@dataclass(frozen=True)
class Decision:
    """An utterance, as it is cut.

    Attributes:
        at_s: when the message was due with which it was over.
        segment: what is recognised.
    """

    at_s: float
    segment: SegmentReady


@dataclass
class Delays:
    """What was measured, in seconds, round by round."""

    ours: list[list[float]] = field(default_factory=list)
    floor: list[list[float]] = field(default_factory=list)

    def report(self, percent: int) -> None:
        """Print the line of a percentile: the medians of those of the rounds, so that one bad moment is not all."""
        name, bar = BARS[percent]
        ours, floor = ([percentile(each, percent) * 1_000 for each in side] for side in (self.ours, self.floor))
        print(
            f"  {name}: rounds {', '.join(f'{our:.0f} / {its:.0f}' for our, its in zip(ours, floor, strict=True))} ms"
        )
        mine, its = statistics.median(ours), statistics.median(floor)
        headline(name, mine, its, mine / its, bar)


def decisions(speakers: int, said: Sequence[Pcm]) -> Mapping[Key, Decision]:
    """When each turn of a block is over, as the transcriber will find, and what it recognises then."""
    pcm = [each.astype("<i2").tobytes() for each in said]
    end = round((BLOCK_S + AFTERWARDS_S) * FRAMES_A_SECOND)
    batcher = VadBatcher(load_silero())
    found: dict[Key, Decision] = {}
    for turns in talk(speakers, BLOCK_S, said):
        for decision in _heard(batcher, turns, end, pcm):
            for turn in turns:
                if turn.first <= _middle(decision.segment) <= turn.first + turn.frames:
                    found[turn.speaker, turn.end_s] = decision
    return found


def _heard(batcher: VadBatcher, turns: Sequence[Turn], end: int, pcm: Sequence[bytes]) -> Iterator[Decision]:
    audio = AudioFormat(RATE, FRAME_MS)
    stream = SpeakerStream(audio, new_decoder(audio), Segmenting(interim_ms=0))
    for at_s, _, frames in spoken(1, turns, end, pcm):
        if frames.payloads:
            stream.push(frames.first_sequence, frames.payloads)
        else:
            stream.silent_through(frames.silent_through, frames.first_sequence)
        while stream.ready:
            for _, event in batcher.listen([stream]):
                if isinstance(event, SegmentReady):
                    yield Decision(at_s, event)


def _middle(segment: SegmentReady) -> int:
    return (segment.first_sequence + segment.last_sequence) // 2


def recognise(recogniser: Recogniser, decided: Mapping[Key, Decision]) -> list[float]:
    """How long each takes that was counted, alone."""
    taken = []
    for (_, end_s), decision in decided.items():
        if COUNTED_FROM_S <= end_s < BLOCK_S:
            samples = decision.segment.samples
            began = time.perf_counter()
            recogniser.recognise(samples)
            taken.append(time.perf_counter() - began)
    return taken


async def ours_block(load: LineProcess, speakers: int, decided: Mapping[Key, Decision]) -> list[float]:
    """From decision to final, of all that are counted."""
    answer = json.loads(await load.ask(speakers, BLOCK_S))
    check(not answer["unaccounted"], f"{answer['unaccounted']} frames were never acknowledged")
    counted = [said for said in answer["said"] if COUNTED_FROM_S <= said["end_s"] < BLOCK_S]
    heard = [said for said in counted if said["delay_s"] is not None]
    check(len(counted) - len(heard) <= UNHEARD_AT_MOST * len(counted), "utterances have no final")
    keys = [(said["speaker"], said["end_s"]) for said in heard]
    check(all(key in decided for key in keys), "a final of what was not cut here")
    return [
        said["end_s"] + ENDPOINT_S + said["delay_s"] - decided[key].at_s for key, said in zip(keys, heard, strict=True)
    ]


async def saturation(load: LineProcess) -> float:
    """Finals a second while more are wanted than there is time for."""
    answer = json.loads(await load.ask(CROWD, CROWD_S))
    came = [
        float(said["end_s"] + ENDPOINT_S + said["delay_s"]) for said in answer["said"] if said["delay_s"] is not None
    ]
    return sum(BUSY_FROM_S <= at < CROWD_S for at in came) / (CROWD_S - BUSY_FROM_S)


def speakers_for(rate: float, said: Sequence[Pcm]) -> int:
    """How many say so many utterances a second while they are counted."""
    counts = [
        sum(COUNTED_FROM_S <= turn.end_s < BLOCK_S for turn in turns) / (BLOCK_S - COUNTED_FROM_S)
        for turns in talk(500, BLOCK_S, said)
    ]
    total = 0.0
    for number, count in enumerate(counts):
        if total + count > rate:
            return number
        total += count
    return len(counts)


async def main() -> None:
    """Start what is needed, and measure."""
    said = utterances(SHIPPED_MODEL / RECORDINGS_FOLDER)
    (recogniser,) = recognisers_of(ModelSettings(measure=False)).recognisers
    delays = Delays()
    with tempfile.TemporaryDirectory() as name:
        progress("finalize: starting")
        async with (
            transcriber(Path(name), FINALS_ONLY) as running,
            line_process("density_load", running.address) as load,
        ):
            progress("finalize: saturating")
            await load.ask(WARM_UP, COUNTED_FROM_S)
            most = await saturation(load)
            speakers = speakers_for(SHARE * most, said)
            print(f"  finalize: saturates at {most:.1f} finals a second; {speakers} speakers say {SHARE:.0%} of them")
            decided = decisions(speakers, said)
            await asyncio.to_thread(recognise, recogniser, decided)
            for turn in range(ROUNDS):
                progress(f"finalize: round {turn + 1} of {ROUNDS}")
                delays.ours.append(await ours_block(load, speakers, decided))
                delays.floor.append(await asyncio.to_thread(recognise, recogniser, decided))
    for percent in (95, 50):
        delays.report(percent)


if __name__ == "__main__":
    measure(main())
