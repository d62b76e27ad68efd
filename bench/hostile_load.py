"""The hostile bots of `hostile`, a process of their own: each kind of bad audio, again and again for so many seconds.

The argument is the service's address. A line `KIND SECONDS`, the kind by its place in `KINDS`, is answered by a line of
JSON: how often it was sent.
"""

import asyncio
import io
import json
import struct
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from fractions import Fraction

import av
import grpc
import numpy as np
from conversations import RATE, Pcm
from cortex.common.v1 import audio_pb2
from cortex.transcriber.v1.transcriber_service_pb2 import (
    Frames,
    Open,
    PeerJoined,
    RecognizeRequest,
    StreamAudioRequest,
    StreamAudioResponse,
)
from cortex.transcriber.v1.transcriber_service_pb2_grpc import TranscriberServiceStub
from cortex_eventing.times import span, stamp
from cortex_transcriber.settings import SHIPPED_MODEL
from cortex_transcriber.shipped_model import RECORDINGS_FOLDER
from neighbours import ZERO
from talk import FRAME_MS, FRAMES_A_SECOND, utterances

EVERY_S = 0.1
"""Seconds between two messages or files: as often as an honest bot sends one. What takes longer follows itself."""

FRAMES_A_MESSAGE = 5
HOURS_24 = 24 * 3_600 * FRAMES_A_SECOND

AT_ONCE = 10_000
MOST_FRAMES = 100
BURST_EVERY_S = 5.0
"""Seconds between two bursts of 10,000 frames, each of which is 200 s long."""

BOMB_S = 1_900
"""Seconds of silence in a FLAC file of a few kilobytes that does not say how long it is: beyond the limit, so that it
makes no difference how far."""

TRICKLES = 20
"""Connections that send one byte a second."""

CUT = 3
"""Of so many bytes of an Opus packet one is kept."""

Payloads = Sequence[bytes]


class Hostile:
    """One bot that means no good.

    Attributes:
        sent: messages, files or bytes.
    """

    def __init__(self, address: str, seconds: float) -> None:
        self.sent = 0
        self._address = address
        self._until = time.perf_counter() + seconds

    async def frames(self, audio: audio_pb2.AudioFormat, payloads: Payloads) -> None:
        """Frames at real-time pace, over and over."""
        await self._stream(audio, self._paced(payloads))

    async def silence(self, audio: audio_pb2.AudioFormat) -> None:
        """A day of silence in each message."""
        await self._stream(audio, self._days())

    async def bursts(self, audio: audio_pb2.AudioFormat, payloads: Payloads) -> None:
        """10,000 frames as fast as they are taken, every few seconds."""
        await self._stream(audio, self._all_at_once(payloads))

    async def files(self, audio: bytes) -> None:
        """A recording, again as soon as it is answered."""
        project = str(uuid.uuid4())
        async with grpc.aio.insecure_channel(self._address) as channel:
            while self._goes_on:
                with suppress(grpc.aio.AioRpcError):
                    await TranscriberServiceStub(channel).Recognize(RecognizeRequest(project_id=project, audio=audio))
                self.sent += 1
                await asyncio.sleep(EVERY_S)

    async def trickle(self) -> None:
        """Connections that say hardly anything."""
        host, _, port = self._address.rpartition(":")
        opened = [await asyncio.open_connection(host, int(port)) for _ in range(TRICKLES)]
        greeting = iter(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(1_000))
        while self._goes_on:
            byte = bytes([next(greeting)])
            for _, writer in opened:
                writer.write(byte)
                self.sent += 1
            await asyncio.sleep(1)
        for _, writer in opened:
            writer.close()

    @property
    def _goes_on(self) -> bool:
        return time.perf_counter() < self._until

    async def _stream(self, audio: audio_pb2.AudioFormat, frames: AsyncIterator[Frames]) -> None:
        """A stream of one peer, until the time is over; whatever is answered is read, and ignored."""
        known = asyncio.Event()

        async def requests() -> AsyncIterator[StreamAudioRequest]:
            yield StreamAudioRequest(open=Open(project_id=str(uuid.uuid4()), session_id=str(uuid.uuid4())))
            joined = PeerJoined(
                peer=1, peer_id="hostile", user_id="hostile", format=audio, sequence_zero_at=stamp(ZERO)
            )
            yield StreamAudioRequest(peer_joined=joined)
            await known.wait()
            async for each in frames:
                self.sent += 1
                yield StreamAudioRequest(frames=each)

        async with grpc.aio.insecure_channel(self._address) as channel:
            call = TranscriberServiceStub(channel).StreamAudio(requests())
            with suppress(TimeoutError, grpc.aio.AioRpcError):
                async with asyncio.timeout(self._until - time.perf_counter()):
                    async for answer in call:
                        _note(answer, known)

    async def _paced(self, payloads: Payloads) -> AsyncIterator[Frames]:
        sequence = 0
        while self._goes_on:
            at = sequence % (len(payloads) - FRAMES_A_MESSAGE + 1)
            yield Frames(peer=1, first_sequence=sequence, payloads=payloads[at : at + FRAMES_A_MESSAGE])
            sequence += FRAMES_A_MESSAGE
            await asyncio.sleep(EVERY_S)

    async def _days(self) -> AsyncIterator[Frames]:
        first = 0
        while self._goes_on:
            yield Frames(peer=1, first_sequence=first, silent_through=first + HOURS_24 - 1)
            first += HOURS_24
            await asyncio.sleep(EVERY_S)

    async def _all_at_once(self, payloads: Payloads) -> AsyncIterator[Frames]:
        sequence = 0
        while self._goes_on:
            for _ in range(AT_ONCE // MOST_FRAMES):
                chosen = [payloads[(sequence + at) % len(payloads)] for at in range(MOST_FRAMES)]
                yield Frames(peer=1, first_sequence=sequence, payloads=chosen)
                sequence += MOST_FRAMES
            await asyncio.sleep(BURST_EVERY_S)


def _note(answer: StreamAudioResponse, known: asyncio.Event) -> None:
    if answer.WhichOneof("message") == "peer_resolved":
        known.set()


def _format(encoding: audio_pb2.Encoding.ValueType, rate: int = RATE) -> audio_pb2.AudioFormat:
    duration = span(timedelta(milliseconds=FRAME_MS))
    return audio_pb2.AudioFormat(encoding=encoding, sample_rate=rate, channels=1, frame_duration=duration)


PCM = _format(audio_pb2.ENCODING_PCM_S16LE)
FLOATS = _format(audio_pb2.ENCODING_PCM_F32LE)
OPUS = _format(audio_pb2.ENCODING_OPUS, 48_000)
FRAME = RATE // FRAMES_A_SECOND


def _square() -> Payloads:
    wave = np.where(np.arange(FRAME * FRAMES_A_SECOND) % 160 < 80, 32_767, -32_768).astype("<i2").tobytes()
    return _cut(wave)


def _speech() -> Payloads:
    return _cut(b"".join(each.astype("<i2").tobytes() for each in utterances(SHIPPED_MODEL / RECORDINGS_FOLDER)))


def _noise() -> Payloads:
    return _cut((4_000 * np.random.default_rng(1).standard_normal(RATE)).astype("<i2").tobytes())


def _cut(data: bytes) -> Payloads:
    return [data[at : at + FRAME * 2] for at in range(0, len(data), FRAME * 2)]


def _cut_off_packets() -> Payloads:
    encoder = av.AudioCodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.format, encoder.layout = 48_000, "s16", "mono"
    encoder.time_base = Fraction(1, 48_000)
    tone = (9_000 * np.sin(2 * np.pi * 300 * np.arange(48_000) / 48_000)).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(tone[None], format="s16", layout="mono")
    frame.sample_rate = 48_000
    packets = [bytes(packet) for packet in encoder.encode(frame)]
    return [packet[: max(1, len(packet) // CUT)] for packet in packets]


def _lying_wav() -> bytes:
    """Ten seconds whose header promises ten times as much."""
    body = bytes(RATE * 20)
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(body) * 10, b"WAVE", b"fmt ", 16, 1, 1, RATE, RATE * 2,
                       2, 16, b"data", len(body) * 10)  # fmt: skip
    return head + body


def _bomb() -> bytes:
    out = io.BytesIO()
    silence: Pcm = np.zeros((1, RATE), dtype=np.int16)
    with av.open(out, "w", format="flac") as made:
        stream = made.add_stream("flac", rate=RATE, layout="mono")
        for second in range(BOMB_S):
            frame = av.AudioFrame.from_ndarray(silence, format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE, second * RATE
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    data = bytearray(out.getvalue())
    data[21] &= 0xF0  # of the header: how many samples there are
    data[22:26] = bytes(4)
    return bytes(data)


Attack = Callable[[Hostile], Awaitable[None]]


def _kinds() -> dict[str, Attack]:
    nan, infinity = (np.full(FRAME, what, dtype="<f4").tobytes() for what in ("nan", "inf"))
    square, speech, noise, packets = _square(), _speech(), _noise(), _cut_off_packets()
    wav, bomb = _lying_wav(), _bomb()
    return {
        "NaN": lambda hostile: hostile.frames(FLOATS, [nan] * FRAMES_A_MESSAGE),
        "infinity": lambda hostile: hostile.frames(FLOATS, [infinity] * FRAMES_A_MESSAGE),
        "square": lambda hostile: hostile.frames(PCM, square),
        "a day of silence": lambda hostile: hostile.silence(PCM),
        "truncated Opus": lambda hostile: hostile.frames(OPUS, packets),
        "lying WAV": lambda hostile: hostile.files(wav),
        "FLAC bomb": lambda hostile: hostile.files(bomb),
        "10,000 frames": lambda hostile: hostile.bursts(PCM, noise),
        "10,000 of speech": lambda hostile: hostile.bursts(PCM, speech),
        "a byte a second": lambda hostile: hostile.trickle(),
    }


KINDS = (
    "NaN",
    "infinity",
    "square",
    "a day of silence",
    "truncated Opus",
    "lying WAV",
    "FLAC bomb",
    "10,000 frames",
    "10,000 of speech",
    "a byte a second",
)
"""In the order of their numbers."""


async def main(address: str) -> None:
    """Answer one line for each line, until the input ends."""
    attacks = _kinds()
    print(json.dumps(list(attacks)), flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        kind, seconds = line.split()
        hostile = Hostile(address, float(seconds))
        await attacks[KINDS[int(kind)]](hostile)
        print(json.dumps({"sent": hostile.sent}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
