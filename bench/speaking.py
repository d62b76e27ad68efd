"""What a bot sends of a speaker, and when: 100 ms of speech in a message, the rest of it at its end, word of silence.

While somebody is silent the voice server sends nothing, and the bot says every 100 ms that it was silence until now, as
long as that may end an utterance; then once a second.
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

ANNOUNCED_CLOSELY = 8
"""Messages about a silence that begins: until the endpoint's time has surely passed."""

AFTERWARDS_S = ENDPOINT_S + ANNOUNCED_CLOSELY * FRAMES_A_MESSAGE / FRAMES_A_SECOND
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
    closely = range(first + FRAMES_A_MESSAGE, end, FRAMES_A_MESSAGE)[:ANNOUNCED_CLOSELY]
    seldom = range(closely.stop + FRAMES_A_SECOND, end, FRAMES_A_SECOND) if len(closely) == ANNOUNCED_CLOSELY else []
    for until in [*closely, *seldom, end]:
        if until > first:
            frames = Frames(peer=peer, first_sequence=first, silent_through=until - 1)
            yield until / FRAMES_A_SECOND, peer, frames
        first = until
