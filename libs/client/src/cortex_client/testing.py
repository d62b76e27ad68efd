"""For tests of bots: a transcriber that does what the test says, behind the interface of a gRPC call."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import cast

import grpc
from cortex.transcriber.v1 import transcriber_service_pb2 as pb

from cortex_client.audio_stream import StreamCall

# Few, so that a handful of frames makes several messages.
MOST_FRAMES = 4
# What a test waits for happens at once or never.
PATIENCE_S = 5.0


def broken(code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> grpc.aio.AioRpcError:
    """What a call ends with when its server is gone, or refuses."""
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details="gone")


class Connection:
    """One call: what was written to it, and what it answers.

    Attributes:
        written: every request so far.
    """

    def __init__(self, resume_from: int) -> None:
        self.written: list[pb.StreamAudioRequest] = []
        self._heard = asyncio.Condition()
        self._resume_from = resume_from
        self._answers: asyncio.Queue[pb.StreamAudioResponse | Exception | None] = asyncio.Queue()

    async def write(self, request: pb.StreamAudioRequest) -> None:
        """Take a request, and answer those that every transcriber answers at once."""
        async with self._heard:
            self.written.append(pb.StreamAudioRequest.FromString(request.SerializeToString()))
            self._heard.notify_all()
        match request.WhichOneof("message"):
            case "open":
                self.answer(pb.StreamAudioResponse(opened=pb.Opened(max_frames=MOST_FRAMES)))
            case "peer_joined":
                self._know(request.peer_joined)
            case "end":
                self._answers.put_nowait(None)

    def _know(self, joined: pb.PeerJoined) -> None:
        known = pb.PeerResolved(peer=joined.peer, participant_id=f"participant of {joined.user_id}")
        known.resume_from = max(self._resume_from, joined.resume_from)
        self.answer(pb.StreamAudioResponse(peer_resolved=known))

    def answer(self, response: pb.StreamAudioResponse) -> None:
        """Send a message of the transcriber."""
        self._answers.put_nowait(response)

    def acknowledge(self, through: int, peer: int = 1) -> None:
        """Account for a peer's audio."""
        self.answer(pb.StreamAudioResponse(acknowledged=pb.Acknowledged(peer=peer, through_sequence=through)))

    def break_off(self, error: Exception | None = None) -> None:
        """End the call with an error."""
        self._answers.put_nowait(error or broken())

    def close(self) -> None:
        """End the call in good order."""
        self._answers.put_nowait(None)

    async def done_writing(self) -> None:
        """The bot writes nothing more."""
        return

    def cancel(self) -> bool:
        """The bot wants nothing more."""
        return True

    async def __aiter__(self) -> AsyncIterator[pb.StreamAudioResponse]:
        while (answer := await self._answers.get()) is not None:
            if isinstance(answer, Exception):
                raise answer
            yield answer

    async def until(self, happened: Callable[["Connection"], bool]) -> None:
        """Wait until what was written is as it should be."""
        async with asyncio.timeout(PATIENCE_S), self._heard:
            await self._heard.wait_for(lambda: happened(self))

    @property
    def sequences(self) -> list[int]:
        """The sequence numbers of the frames that came."""
        frames = [request.frames for request in self.written if request.HasField("frames")]
        return [part.first_sequence + n for part in frames for n in range(len(part.payloads))]

    @property
    def kinds(self) -> list[str]:
        """Which messages came, in their order."""
        return [str(request.WhichOneof("message")) for request in self.written]


class Transcriber:
    """Opens connections.

    Attributes:
        connections: all that were opened.
        resume_from: what the next one says that it still needs.
    """

    def __init__(self) -> None:
        self.connections: list[Connection] = []
        self.resume_from = 0
        self._opened = asyncio.Event()

    def __call__(self) -> StreamCall:
        """Open a connection."""
        connection = Connection(self.resume_from)
        self.connections.append(connection)
        self._opened.set()
        return cast("StreamCall", connection)

    @property
    def last(self) -> Connection:
        """The newest connection."""
        return self.connections[-1]

    async def connection(self, number: int) -> Connection:
        """The connection with this number, from 1, once it was opened."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.connections) < number:
                self._opened.clear()
                await self._opened.wait()
        return self.connections[number - 1]
