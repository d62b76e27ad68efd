"""`transcribe`: audio seconds that the transcriber hears in a CPU second, against the C++ peer on the same model.

Ours is the whole process: gRPC with 100 ms messages, gate, voice detection, recognition, finals that are stored and
published; one recognition at a time and no interims, because the peer works so. The peer reads the same tracks from a
file; its start and the loading of the model are taken off, as ours are not counted either.
"""

import asyncio
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from conversations import Conversation, Track, conversations, write_wav
from cortex_client.demo.words import WordErrors, word_errors
from cortex_transcriber.settings import SHIPPED_MODEL
from cortex_transcriber.shipped_model import RECORDINGS_FOLDER
from floors import sherpa
from harness import Bar, Pairs, check, in_turn, measure, progress
from room import transcribed
from service import FINALS_ONLY, Running, transcriber

BAR = Bar(1.0)
ROUNDS = 7
"""Fewer than elsewhere: these are CPU seconds of deterministic work, which a busy machine disturbs less."""

WORSE_AT_MOST = 0.03
"""Word error rate that may be lost against the peer: both hear the same, cut a little differently."""


@dataclass
class Ours:
    """The transcriber, and what it heard last."""

    running: Running
    rooms: Sequence[Conversation]
    heard: Sequence[str] = ()
    beside: dict[str, list[float]] = field(default_factory=dict)

    async def block(self) -> float:
        """Audio seconds in a CPU second, all rooms at once."""
        before = self.running.cpu_seconds()
        heard = await asyncio.gather(*[transcribed(self.running.address, room) for room in self.rooms])
        used = {name: seconds - before[name] for name, seconds in self.running.cpu_seconds().items()}
        self.heard = [text for texts in heard for text in texts]
        for name, seconds in used.items():
            self.beside.setdefault(name, []).append(seconds)
        return seconds_of(self.rooms) / used["transcriber"]


class Peer:
    """The C++ program on a file that holds every track."""

    def __init__(self, folder: Path, rooms: Sequence[Conversation]) -> None:
        self._tokens, self._wav, silence = folder / "tokens.txt", folder / "tracks.wav", folder / "silence.wav"
        sherpa.write_tokens(SHIPPED_MODEL, self._tokens)
        write_wav(self._wav, tracks_of(rooms))
        write_wav(silence, [])
        self._seconds = seconds_of(rooms)
        self._start = min(self._run(silence).cpu_seconds for _ in range(3))
        self.heard = ""

    async def block(self) -> float:
        """Audio seconds in a CPU second."""
        heard = await asyncio.to_thread(self._run, self._wav)
        self.heard = heard.text
        return self._seconds / (heard.cpu_seconds - self._start)

    def _run(self, wav: Path) -> sherpa.Heard:
        return sherpa.transcribe(SHIPPED_MODEL, self._tokens, wav)


def tracks_of(rooms: Sequence[Conversation]) -> Sequence[Track]:
    """The tracks of all rooms."""
    return [track for room in rooms for track in room]


def seconds_of(rooms: Sequence[Conversation]) -> float:
    """The length of all tracks together."""
    return sum(track.seconds for track in tracks_of(rooms))


@asynccontextmanager
async def contender(rooms: Sequence[Conversation], folder: Path) -> AsyncIterator[Ours]:
    """The service, finals only, one recognition at a time."""
    async with transcriber(
        folder, {**FINALS_ONLY, "CORTEX_MODEL_WORKERS": "1", "CORTEX_MODEL_THREADS": "1"}
    ) as running:
        yield Ours(running, rooms)


def check_words(rooms: Sequence[Conversation], ours: Ours, peer: Peer) -> tuple[WordErrors, WordErrors]:
    """The word errors of both; ours may be hardly more."""
    tracks = tracks_of(rooms)
    mine = sum(
        (word_errors([track.said], [text]) for track, text in zip(tracks, ours.heard, strict=True)), WordErrors(0, 0)
    )
    theirs = word_errors([track.said for track in tracks], [peer.heard])
    check(mine.rate <= theirs.rate + WORSE_AT_MOST, f"word error rate {mine.rate:.3f}, of the peer {theirs.rate:.3f}")
    return mine, theirs


async def main() -> None:
    """Start what is needed, and measure."""
    if not sherpa.PROGRAM.exists():
        sys.exit("bench: the peer is not installed: make bench NAME=transcribe")
    rooms = conversations(SHIPPED_MODEL / RECORDINGS_FOLDER)
    with tempfile.TemporaryDirectory() as folder:
        progress("transcribe: starting")
        async with contender(rooms, Path(folder)) as ours:
            peer = await asyncio.to_thread(Peer, Path(folder), rooms)
            figures = Pairs(*await in_turn([ours.block, peer.block], ROUNDS, "transcribe"))
    mine, theirs = check_words(rooms, ours, peer)
    beside = ", ".join(f"{name} {statistics.median(used):.2f}" for name, used in ours.beside.items())
    print(f"  transcribe: CPU seconds for {seconds_of(rooms):.0f} s of audio: {beside}")
    print(f"  transcribe: word error rate {mine.rate:.3f}, of the peer {theirs.rate:.3f}")
    figures.report("transcribe", "audio seconds in a CPU second", BAR)


if __name__ == "__main__":
    measure(main())
