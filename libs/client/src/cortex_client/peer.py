"""One speaker's connection to the room, as the bot sees it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from cortex.common.v1 import audio_pb2
from cortex.transcriber.v1.transcriber_service_pb2 import PeerJoined, PeerResolved, StreamAudioRequest
from cortex.transcriber.v1.transcriber_service_pb2 import PeerLeft as Left

from cortex_client.errors import CallFailed
from cortex_client.unacknowledged import LOST, Payload, Unacknowledged, end_of

# Speech without a pause is acknowledged after a minute at the latest; its recognition, and an absence of the
# transcriber, fit in the other one.
KEPT_S = 120.0


class Encoding(Enum):
    """How a frame holds its samples."""

    PCM_S16LE = audio_pb2.ENCODING_PCM_S16LE
    """Signed 16 bit, little-endian."""
    PCM_F32LE = audio_pb2.ENCODING_PCM_F32LE
    """32-bit float, little-endian, from -1 to 1."""
    MULAW = audio_pb2.ENCODING_MULAW
    """G.711 mu-law, at 8,000."""
    ALAW = audio_pb2.ENCODING_ALAW
    """G.711 A-law, at 8,000."""
    OPUS = audio_pb2.ENCODING_OPUS
    """One Opus packet a frame, as in RTP, exactly as long as the frame."""


@dataclass(frozen=True)
class Speaker:
    """Who joins, and what their frames are.

    Attributes:
        peer_id: what the voice server calls the connection.
        user_id: the external user id that the client claims; may be empty.
        sequence_zero_at: when the frame with sequence number 0 was captured.
        sample_rate: samples a second: 8,000, 16,000, 24,000, 44,100 or 48,000. Of Opus any but 44,100 says the same.
        frame_duration: how long each frame is: 10 to 100 ms; whole multiples of 10 ms at 44,100, of 5 ms with Opus.
        encoding: how a frame holds its samples.
        channels: 1 or 2, their samples alternating; two are heard as their average.
    """

    peer_id: str
    user_id: str
    sequence_zero_at: datetime
    sample_rate: int = 16_000
    frame_duration: timedelta = timedelta(milliseconds=20)
    encoding: Encoding = Encoding.PCM_S16LE
    channels: int = 1


class Peer:
    """A speaker who joined an `AudioStream`. Made by `AudioStream.join`.

    Attributes:
        number: what stands for the peer on the stream.
        speaker: who it is.
    """

    def __init__(self, number: int, speaker: Speaker, wake: Callable[[], None]) -> None:
        self.number = number
        self.speaker = speaker
        self.kept = Unacknowledged(int(KEPT_S / speaker.frame_duration.total_seconds()))
        self.known: asyncio.Future[PeerResolved] = asyncio.get_running_loop().create_future()
        self._wake = wake
        self._room = asyncio.Event()
        self._failed: CallFailed | None = None
        self._left = False
        self._lost = 0  # frames that count only once others follow
        self.forget_connection()

    @property
    def participant_id(self) -> str:
        """The participant that the peer resolved to."""
        return self.known.result().participant_id

    @property
    def next_sequence(self) -> int:
        """The sequence number of the next frame."""
        return self.kept.next + self._lost

    async def send(self, *payloads: bytes) -> None:
        """Hand over frames, in order; waits while too much is not acknowledged. Raises CallFailed when refused."""
        for payload in payloads:
            await self._keep(payload)

    async def silent(self, frames: int = 1) -> None:
        """Say that the voice server sent nothing for so many frames because nobody spoke."""
        for _ in range(frames):
            await self._keep(None)

    def lost(self, frames: int = 1) -> None:
        """Say that so many frames never reached the bot: the ones after them keep their time, and Opus is concealed."""
        self._lost += frames

    def leave(self) -> None:
        """Say that the speaker left the room; what was handed over before is still heard."""
        self._left = True
        self._wake()

    async def _keep(self, payload: Payload) -> None:
        while self._lost:
            await self._add(LOST)
            self._lost -= 1
        await self._add(payload)

    async def _add(self, payload: Payload) -> None:
        while self.kept.is_full and not self._failed:
            self._room.clear()
            await self._room.wait()
        if self._failed:
            raise self._failed
        self.kept.add(payload)
        self._wake()

    def forget_connection(self) -> None:
        """A new connection knows nothing of the peer."""
        self._announced = self._told_left = False
        self._cursor: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is needed any more on a new connection."""
        return self._left and not self.kept

    @property
    def is_sent(self) -> bool:
        """Whether this connection has been told everything so far."""
        all_sent = self._cursor is not None and self._cursor >= self.kept.next
        return self._failed is not None or (all_sent and self._told_left == self._left)

    def next_request(self, most: int) -> StreamAudioRequest | None:
        """What to tell the connection next, with at most `most` payloads; None when there is nothing to tell now."""
        if self._failed:
            return None
        if not self._announced:
            self._announced = True
            return StreamAudioRequest(peer_joined=self._joined())
        if self._cursor is None:
            return None
        self._cursor = self.kept.after_losses(max(self._cursor, self.kept.first))
        frames = self.kept.message(self.number, self._cursor, most)
        if frames is not None:
            self._cursor = end_of(frames)
            return StreamAudioRequest(frames=frames)
        if self._left and not self._told_left:
            self._told_left = True
            return StreamAudioRequest(peer_left=Left(peer=self.number))
        return None

    def resolve(self, resolved: PeerResolved) -> None:
        """The transcriber knows the peer, and which frames it still needs."""
        self.acknowledge(resolved.resume_from - 1)
        self._cursor = max(self.kept.first, resolved.resume_from)
        if not self.known.done():
            self.known.set_result(resolved)
        self._wake()

    def acknowledge(self, through: int) -> None:
        """The transcriber has accounted for everything up to and with a sequence number."""
        self.kept.acknowledge(through)
        self._room.set()

    def fail(self, failed: CallFailed) -> None:
        """Nothing more of this peer is taken: whoever waits, and the next frame, gets the error."""
        self._failed = failed
        if not self.known.done():
            self.known.set_exception(failed)
            self.known.exception()  # so that a join that nobody waits for any more is no warning
        self._room.set()
        self._wake()

    def _joined(self) -> PeerJoined:
        speaker = self.speaker
        audio = audio_pb2.AudioFormat(
            encoding=speaker.encoding.value, sample_rate=speaker.sample_rate, channels=speaker.channels
        )
        audio.frame_duration.FromTimedelta(speaker.frame_duration)
        joined = PeerJoined(
            peer=self.number,
            peer_id=speaker.peer_id,
            user_id=speaker.user_id,
            format=audio,
            resume_from=self.kept.first,
        )
        joined.sequence_zero_at.FromDatetime(speaker.sequence_zero_at)
        return joined
