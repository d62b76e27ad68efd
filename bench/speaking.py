"""What a bot sends of a speaker, and when: 100 ms of speech in a message, the rest of it at its end, word of silence.

While somebody is silent the voice server sends nothing, and the bot says every 100 ms that it was silence until now. It
knows from `opened` when silence ends an utterance; from then on it tells of every frame for 200 ms, then once a second.
"""

from collections.abc import Iterator, Sequence

from conversations import RATE
from cortex.transcriber.v1.transcriber_service_pb2 import Frames
from pacing import Timed
from talk import FRAMES_A_SECOND, Turn

FRAMES_A_MESSAGE = 5
FRAME_BYTES = RATE // FRAMES_A_SECOND * 2

ENDPOINT_S = 0.5
"""Silence that ends an utterance, the service's default; a bot is told of it, and checks it."""

ENDPOINT = round(ENDPOINT_S * FRAMES_A_SECOND)
CLOSELY = 10
"""Frames of silence that are told of one by one, from the endpoint's time on: a detector hears speech end later than
it does, by a few chunks of 32 ms."""

AFTERWARDS_S = 2 * ENDPOINT_S
"""Silence after the last word, so that it is answered while the stream goes on."""


def spoken(peer: int, turns: Sequence[Turn], end: int, pcm: Sequence[bytes]) -> Iterator[Timed[Frames]]:
    """Everything that is sent of a peer up to a frame.

    Args:
        peer: its number on the stream.
        turns: what it says.
        end: the frame after the last one.
        pcm: the utterances.
    """
    silent_from = 0
    for turn in turns:
        yield from _silence(peer, silent_from, turn.first)
        yield from _speech(peer, turn, pcm[turn.utterance])
        silent_from = turn.first + turn.frames
    yield from _silence(peer, silent_from, end)


def _speech(peer: int, turn: Turn, voice: bytes) -> Iterator[Timed[Frames]]:
    for first in range(0, turn.frames, FRAMES_A_MESSAGE):
        last = min(first + FRAMES_A_MESSAGE, turn.frames)
        payloads = [voice[at * FRAME_BYTES : (at + 1) * FRAME_BYTES] for at in range(first, last)]
        frames = Frames(peer=peer, first_sequence=turn.first + first, payloads=payloads)
        yield (turn.first + last) / FRAMES_A_SECOND, peer, frames


def _silence(peer: int, first: int, end: int) -> Iterator[Timed[Frames]]:
    for until in _announced(first, end):
        frames = Frames(peer=peer, first_sequence=first, silent_through=until - 1)
        yield until / FRAMES_A_SECOND, peer, frames
        first = until


def _announced(first: int, end: int) -> list[int]:
    """Up to before which frames silence is told of, one after the other."""
    decided = first + ENDPOINT
    coarse = range(first + FRAMES_A_MESSAGE, decided + 1, FRAMES_A_MESSAGE)
    close = range(decided + 1, decided + CLOSELY + 1)
    seldom = range(decided + CLOSELY + FRAMES_A_SECOND, end, FRAMES_A_SECOND)
    return [until for until in [*coarse, *close, *seldom] if until < end] + ([end] if end > first else [])
