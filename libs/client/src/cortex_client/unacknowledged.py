"""What a bot keeps of a peer's audio until the transcriber has accounted for it."""

from collections import deque
from collections.abc import Iterable
from itertools import islice, takewhile
from typing import Final

from cortex.transcriber.v1.transcriber_service_pb2 import Frames

Payload = bytes | None

LOST: Final = b""
"""Stands for a frame that never reached the bot. No format has empty frames."""


class Unacknowledged:
    """The frames of one peer from the watermark on, by sequence number. None stands for silence that was not sent,
    `LOST` for a frame that the bot never got.

    Attributes:
        limit: how many frames may be held before the sender waits.
        first: the first sequence number that is held, or would be.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.first = 0
        self._frames: deque[Payload] = deque()
        self._through = -1

    @property
    def next(self) -> int:
        """The sequence number of the next frame to be added."""
        return self.first + len(self._frames)

    @property
    def is_full(self) -> bool:
        """Whether the sender has to wait for an acknowledgement."""
        return len(self._frames) >= self.limit

    def __len__(self) -> int:
        return len(self._frames)

    def add(self, payload: Payload) -> None:
        """Hold one frame more. One that was acknowledged before it came is not held."""
        self._frames.append(payload)
        self._forget()

    def acknowledge(self, through: int) -> None:
        """Let go of everything up to and with a sequence number. An older acknowledgement changes nothing."""
        self._through = max(self._through, through)
        self._forget()

    def after_losses(self, start: int) -> int:
        """The first sequence number from one on that there is anything to say about."""
        held = islice(self._frames, max(0, start - self.first), None)
        return start + sum(1 for _ in takewhile(lambda frame: frame == LOST, held))

    def message(self, peer: int, start: int, most: int) -> Frames | None:
        """What to send from a sequence number on, `after_losses`: up to `most` payloads and the silence behind them."""
        if start >= self.next:
            return None
        held = islice(self._frames, start - self.first, None)
        payloads, silent = _split(held, most)
        frames = Frames(peer=peer, first_sequence=start, payloads=payloads)
        if silent:
            frames.silent_through = start + len(payloads) + silent - 1
        return frames

    def _forget(self) -> None:
        while self._frames and self.first <= self._through:
            self._frames.popleft()
            self.first += 1


def end_of(frames: Frames) -> int:
    """The sequence number after the last one that a message accounts for."""
    if frames.HasField("silent_through"):
        return frames.silent_through + 1
    return frames.first_sequence + len(frames.payloads)


def _split(frames: Iterable[Payload], most: int) -> tuple[list[bytes], int]:
    """The payloads at the beginning, at most `most`, and how many silent frames follow them."""
    payloads: list[bytes] = []
    silent = 0
    for frame in frames:
        if frame is None:
            silent += 1
        elif silent or frame == LOST or len(payloads) == most:
            break
        else:
            payloads.append(frame)
    return payloads, silent
