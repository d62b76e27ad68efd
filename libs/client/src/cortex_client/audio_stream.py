"""A bot's stream for one room: every speaker's audio in, over connections that come and go."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import TracebackType
from typing import Self

import grpc
from cortex.transcriber.v1.transcriber_service_pb2 import (
    End,
    Heartbeat,
    Open,
    PeerRefused,
    StreamAudioRequest,
    StreamAudioResponse,
)

from cortex_client.backoff import Backoff
from cortex_client.errors import CallFailed, SessionHasEnded, failure, failure_of
from cortex_client.peer import Peer, Speaker
from cortex_client.retrying import is_passing

StreamCall = grpc.aio.StreamStreamCall[StreamAudioRequest, StreamAudioResponse]
# Without any other message the transcriber is told this often that the bot is there. It may then tell a link that died
# from speakers who are silent.
HEARTBEAT = timedelta(seconds=1)

Hear = Callable[[StreamAudioResponse], None]


def nothing_to_hear(_: StreamAudioResponse) -> None:
    """Takes the transcriber's messages where nobody wants them."""


class AudioStream:
    """The audio of several speakers of one room. An async context manager; leaving it without an error ends the stream.

    What is not acknowledged is kept. When the connection breaks, or the server drains, the stream connects again, to
    any replica, introduces its peers again and resends each one's audio from the watermark on.

    Attributes:
        call: opens one connection.
        hear: gets every message of the transcriber as it comes: interims, finals, acknowledgements, refusals.
        endpoint_silence: what ends an utterance, on each connection alike; None for what the service is set to.
    """

    def __init__(
        self,
        call: Callable[[], StreamCall],
        project_id: str,
        session_id: str,
        *,
        hear: Hear = nothing_to_hear,
        include_interim: bool = False,
        endpoint_silence: timedelta | None = None,
    ) -> None:
        self._call = call
        self._open = Open(project_id=project_id, session_id=session_id, include_interim=include_interim)
        self._open.heartbeat.FromTimedelta(HEARTBEAT)
        if endpoint_silence is not None:
            self._open.endpoint_silence.FromTimedelta(endpoint_silence)
        self._hear = hear
        self._peers: dict[int, Peer] = {}
        self._numbers = 0
        self._work = asyncio.Event()
        self._ending = False
        self._failed: CallFailed | None = None
        self._forget_connection()

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self._run(), name="audio stream")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                await self.end()
        finally:
            self._running.cancel()
            await asyncio.wait([self._running])

    async def join(self, speaker: Speaker) -> Peer:
        """Introduce a speaker; returns once the transcriber knows who it is. Raises CallFailed when it is refused."""
        if self._failed:
            raise self._failed
        self._numbers += 1
        peer = self._peers[self._numbers] = Peer(self._numbers, speaker, self._work.set)
        self._work.set()
        try:
            await asyncio.shield(peer.known)
        except BaseException:
            self._peers.pop(peer.number, None)
            raise
        return peer

    async def end(self) -> None:
        """Have everything heard to its end, and close. Raises CallFailed when the stream was refused."""
        self._ending = True
        self._work.set()
        await asyncio.wait([self._running])
        if self._failed:
            raise self._failed
        self._running.result()

    async def _run(self) -> None:
        """Connect, again and again, until the stream has ended or was refused for good."""
        self._backoff = Backoff()
        while True:
            retry_after: float | None = None
            try:
                if await self._connection():
                    return
            except grpc.aio.AioRpcError as error:
                failed = failure_of(error)
                if not is_passing(failed):
                    self._fail(failed)
                    return
                retry_after = failed.retry_after
            await asyncio.sleep(self._backoff.next(retry_after))

    async def _connection(self) -> bool:
        """One connection, from its opening to its close; returns whether there is nothing left to send."""
        self._forget_connection()
        call = self._call()
        writing = asyncio.create_task(self._write(call), name="audio stream writer")
        try:
            async for response in call:
                self._take(response)
        finally:
            writing.cancel()
            call.cancel()
            await asyncio.wait([writing])
        if self._over and not self._told_end:
            self._fail(SessionHasEnded(grpc.StatusCode.FAILED_PRECONDITION, "the session is over"))
        return self._over or (self._told_end and not self._draining)

    def _forget_connection(self) -> None:
        self._opened = self._told_end = self._draining = self._over = False
        self._most_frames = 1
        self._peers = {number: peer for number, peer in self._peers.items() if not peer.is_over}
        for peer in self._peers.values():
            peer.forget_connection()

    async def _write(self, call: StreamCall) -> None:
        """Tell the connection whatever there is to tell, peer by peer in turn."""
        try:
            await call.write(StreamAudioRequest(open=self._open))
            while not (self._told_end or self._draining or self._over):
                self._work.clear()
                told = False
                for request in self._round():
                    await call.write(request)
                    told = True
                if not told:
                    await self._work_or_heartbeat(call)
            await call.done_writing()
        except (grpc.aio.AioRpcError, grpc.aio.InternalError, asyncio.InvalidStateError):
            return  # the connection broke; the reader is told why

    async def _work_or_heartbeat(self, call: StreamCall) -> None:
        try:
            async with asyncio.timeout(HEARTBEAT.total_seconds()):
                await self._work.wait()
        except TimeoutError:
            await call.write(StreamAudioRequest(heartbeat=Heartbeat()))

    def _round(self) -> Iterator[StreamAudioRequest]:
        if not self._opened:
            return
        for peer in list(self._peers.values()):
            request = peer.next_request(self._most_frames)
            if request is not None:
                yield request
        if self._ending and not self._told_end and all(peer.is_sent for peer in self._peers.values()):
            self._told_end = True
            yield StreamAudioRequest(end=End())

    def _take(self, response: StreamAudioResponse) -> None:
        self._backoff.reset()
        match response.WhichOneof("message"):
            case "opened":
                self._opened, self._most_frames = True, max(1, response.opened.max_frames)
            case "peer_resolved" if peer := self._peers.get(response.peer_resolved.peer):
                peer.resolve(response.peer_resolved)
            case "acknowledged" if peer := self._peers.get(response.acknowledged.peer):
                peer.acknowledge(response.acknowledged.through_sequence)
            case "peer_refused" if peer := self._peers.get(response.peer_refused.peer):
                self._refuse(peer, response.peer_refused)
            case "draining":
                self._draining = True
            case "session_over":
                self._over = True
        self._work.set()
        self._hear(response)

    def _refuse(self, peer: Peer, refused: PeerRefused) -> None:
        """A peer whose identity cannot be looked up now is introduced again later; every other refusal is final."""
        failed = failure(refused.status)
        if refused.removed and is_passing(failed):
            asyncio.get_running_loop().call_later(self._backoff.next(failed.retry_after), self._introduce_again, peer)
        else:
            peer.fail(failed)

    def _introduce_again(self, peer: Peer) -> None:
        peer.forget_connection()
        self._work.set()

    def _fail(self, failed: CallFailed) -> None:
        self._failed = failed
        for peer in self._peers.values():
            peer.fail(failed)
