"""`density`: speakers in real time that two cores hold, clients included, against the C++ server on the same model.

Held is a number of speakers at which the 95th percentile of the final delays stays below 500 ms. Both contenders meet
the same speakers, who say the same at the same moments, in blocks in turn. Ours hears them: gRPC in 100 ms messages,
announced silence, voice detection, cuts, finals that are stored before they are told. Its delays count from the moment
at which the endpoint's silence is complete, when a final cannot come sooner. The peer is handed whole utterances at
the moment they end: it detects nothing and streams nothing.
"""

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from conversations import Pcm
from cortex_client.demo.words import WordErrors, word_errors
from cortex_transcriber.adapters.recognisers import recognisers_of
from cortex_transcriber.settings import SHIPPED_MODEL, ModelSettings
from cortex_transcriber.shipped_model import RECORDINGS_FOLDER
from cortex_transcriber.speech.recogniser import Samples
from floors.sherpa_server import PROGRAM, sherpa_server
from harness import Bar, check, headline, measure, percentile, progress
from line_process import LineProcess, line_process
from service import FINALS_ONLY, transcriber
from talk import PADDING, utterances

BAR = Bar(0.9)
DELAY_MS = 500.0
BLOCK_S = 22.0
"""Seconds of talk in a block: at a hundred speakers about two hundred utterances, ten of them above the p95."""

COUNTED_FROM_S = 4.0
"""Utterances that end earlier began when not everybody had begun."""

FIRST = 100
GROWTH = 1.4
STEP = 5
"""Speakers; between two blocks with that little between them the noise is greater than the difference."""

WARM_UP = 10

DIFFERENT_AT_MOST = 0.1
"""Word error rate of ours against the peer's words for the same utterances: both hear cuts out of sentences, ours with
the padding of its own cuts."""

UNLIKE_AT_MOST = 0.03
"""Word error rate on the same samples: the two run other builds of onnxruntime, whose float sums differ in the end."""

UNHEARD_AT_MOST = 0.03
"""Of the utterances: a syllable cut out of a sentence may be no speech to a detector, and be acknowledged so."""

Answer = Mapping[str, Any]


@dataclass
class Contender:
    """Who is asked to hold how many.

    Attributes:
        held: the most that were.
        failed: the fewest that were not.
        words: what was heard at each turn, by speaker and end.
        spoken: which utterance each turn was.
    """

    name: str
    load: LineProcess
    held: int = 0
    failed: int | None = None
    wanted: int = FIRST
    words: dict[tuple[int, float], str] = field(default_factory=dict)
    spoken: dict[tuple[int, float], int] = field(default_factory=dict)
    turns: int = 0
    unheard: int = 0

    @property
    def done(self) -> bool:
        """Whether it is known well enough."""
        return self.failed is not None and self.failed - self.held <= STEP

    async def block(self) -> None:
        """Try the number that is wanted."""
        answer = json.loads(await self.load.ask(self.wanted, BLOCK_S))
        check(not answer["unaccounted"], f"{answer['unaccounted']} frames were never acknowledged")
        counted = self._counted(answer)
        p50, p95 = (percentile(counted, percent) * 1_000 for percent in (50, 95))
        good = p95 < DELAY_MS
        print(
            f"  density: {self.wanted:4} speakers  {self.name:4}  p50 {p50:5.0f}  p95 {p95:5.0f} ms"
            f"  ({len(counted)} utterances; client late by {answer['late_s'] * 1_000:.0f} ms)",
            flush=True,
        )
        self._go_on(good=good)

    def _counted(self, answer: Answer) -> Sequence[float]:
        delays = []
        for said in answer["said"]:
            if not COUNTED_FROM_S <= said["end_s"] < BLOCK_S:
                continue
            self.turns += 1
            if said["delay_s"] is None:
                self.unheard += 1
                continue
            delays.append(said["delay_s"])
            turn = said["speaker"], said["end_s"]
            self.words[turn], self.spoken[turn] = said["text"], said["utterance"]
        check(bool(delays), "nothing was heard")
        return delays

    def _go_on(self, *, good: bool) -> None:
        if good:
            self.held = self.wanted
        else:
            self.failed = self.wanted
        if self.failed is None:
            self.wanted = _step(self.held * GROWTH)
        elif self.held:
            self.wanted = _step((self.held + self.failed) / 2)
        else:
            self.wanted = _step(self.failed / GROWTH)
        check(self.wanted > 0, f"{self.name} holds nobody")


def _step(count: float) -> int:
    return round(count / STEP) * STEP


async def search(ours: Contender, peer: Contender) -> None:
    """Find what both hold, block by block in turn."""
    for each in (ours, peer):
        await each.load.ask(WARM_UP, COUNTED_FROM_S)
    turn = 0
    while not (ours.done and peer.done):
        for each in (ours, peer) if turn % 2 else (peer, ours):
            if not each.done:
                progress(f"density: {each.name} with {each.wanted} speakers")
                await each.block()
        turn += 1


def check_recogniser(peer: Contender, said: Sequence[Pcm]) -> WordErrors:
    """The words of our recogniser, called directly, against the peer's for the very same samples."""
    (recogniser,) = recognisers_of(ModelSettings(measure=False)).recognisers
    theirs = {peer.spoken[turn]: text for turn, text in peer.words.items()}
    ours = [recogniser.recognise(_padded(said[utterance])).text for utterance in theirs]
    errors = word_errors(list(theirs.values()), ours)
    check(
        errors.rate <= UNLIKE_AT_MOST,
        f"on the same samples {errors.rate:.3f} of the words differ from the peer's",
    )
    return errors


def _padded(pcm: Pcm) -> Samples:
    samples: Samples = np.pad(pcm, PADDING).astype(np.float32) / np.float32(1 << 15)
    return samples


def check_words(ours: Contender, peer: Contender) -> WordErrors:
    """Our words against the peer's, where both heard the same turn."""
    check(ours.unheard <= UNHEARD_AT_MOST * ours.turns, f"{ours.unheard} of {ours.turns} utterances have no final")
    both = ours.words.keys() & peer.words.keys()
    errors = word_errors([peer.words[turn] for turn in both], [ours.words[turn] for turn in both])
    check(errors.rate <= DIFFERENT_AT_MOST, f"{errors.rate:.3f} of the words differ from the peer's")
    return errors


async def main() -> None:
    """Start what is needed, and search."""
    if not PROGRAM.exists():
        sys.exit("bench: the peer is not installed: make bench NAME=density")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        progress("density: starting")
        async with (
            transcriber(folder, FINALS_ONLY) as running,
            sherpa_server(SHIPPED_MODEL, folder) as (port, _),
            line_process("density_load", running.address) as our_load,
            line_process("density_peer_load", str(port)) as peer_load,
        ):
            ours, peer = Contender("ours", our_load), Contender("peer", peer_load)
            await search(ours, peer)
    errors, same = check_words(ours, peer), check_recogniser(peer, utterances(SHIPPED_MODEL / RECORDINGS_FOLDER))
    print(f"  density: {ours.unheard} of {ours.turns} utterances were no speech to our detector")
    print(f"  density: word error rate of ours against the peer's words {errors.rate:.3f}")
    print(f"  density: the same of the recogniser alone, on the very same samples {same.rate:.3f}")
    headline("density", ours.held, peer.held, ours.held / peer.held, BAR)


if __name__ == "__main__":
    measure(main())
