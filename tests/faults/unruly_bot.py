"""A bot whose messages arrive twice and in another order than they were sent in, as over a worse network than TCP."""

from collections import deque
from collections.abc import AsyncIterator, Callable
from random import Random

import grpc
from cortex.transcriber.v1.transcriber_service_pb2 import Frames, StreamAudioRequest, StreamAudioResponse
from cortex_transcriber.speech.ordering import FEWEST_WAITED, WAITED_MS

Opened = grpc.aio.StreamStreamCall[StreamAudioRequest, StreamAudioResponse]

SWAPPED, REPEATED = 0.2, 0.2
"""The shares of messages with frames that arrive in the wrong order, and that are followed by an earlier one."""

REMEMBERED = 20
"""Messages that may come again: some of them were acknowledged long ago."""


class UnrulyCall:
    """One connection of a bot.

    Args:
        call: the true one.
        frame_ms: of every peer, so that no frame comes later than the transcriber waits for it.
        chance: decides what is swapped and repeated.
    """

    def __init__(self, call: Opened, frame_ms: int, chance: Random) -> None:
        self._call = call
        self._within = max(FEWEST_WAITED, WAITED_MS // frame_ms)
        self._chance = chance
        self._sent: dict[int, deque[StreamAudioRequest]] = {}

    async def write(self, request: StreamAudioRequest) -> None:
        """Send a message, or what becomes of it."""
        for each in self._disarranged(request):
            await self._call.write(each)

    async def done_writing(self) -> None:
        """Send nothing more."""
        await self._call.done_writing()

    def cancel(self) -> bool:
        """Break it off."""
        return self._call.cancel()

    def __aiter__(self) -> AsyncIterator[StreamAudioResponse]:
        return self._call.__aiter__()

    def _disarranged(self, request: StreamAudioRequest) -> list[StreamAudioRequest]:
        if request.WhichOneof("message") != "frames":
            return [request]
        sent = self._sent.setdefault(request.frames.peer, deque(maxlen=REMEMBERED))
        pieces = self._swapped(request.frames) if self._chance.random() < SWAPPED else [request]
        sent.extend(pieces)
        return [*pieces, self._chance.choice(sent)] if self._chance.random() < REPEATED else pieces

    def _swapped(self, frames: Frames) -> list[StreamAudioRequest]:
        """The last frames of a message in two pieces, the later one first."""
        count = len(frames.payloads)
        begins = max(0, count - self._within)
        if frames.HasField("silent_through") or count - begins < len(("one", "other")):
            return [StreamAudioRequest(frames=frames)]
        middle = self._chance.randrange(begins + 1, count)
        pieces = [(middle, count), (begins, middle)]
        return [_piece(frames, *each) for each in ([(0, begins), *pieces] if begins else pieces)]


def _piece(frames: Frames, begin: int, end: int) -> StreamAudioRequest:
    payloads = frames.payloads[begin:end]
    piece = Frames(peer=frames.peer, first_sequence=frames.first_sequence + begin, payloads=payloads)
    return StreamAudioRequest(frames=piece)


NewCall = Callable[[], Opened]
