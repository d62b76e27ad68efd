"""The speakers of `ingest`, a process of their own: so many streams at real-time pace, taken in or not.

The arguments: the address of the server, the id of its process, and `answers` when it is a transcriber. A line
`STREAMS FRAMES_A_MESSAGE SECONDS` is answered by a line of JSON: how many frames were sent, how much CPU time the
server used meanwhile, how late the messages were, how many speakers were acknowledged something meanwhile, and of how
many every frame was acknowledged in the end.
"""

import json
import selectors
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from cortex.common.v1.audio_pb2 import ENCODING_PCM_S16LE, AudioFormat
from cortex.transcriber.v1.transcriber_service_pb2 import (
    End,
    Frames,
    Open,
    PeerJoined,
    StreamAudioRequest,
    StreamAudioResponse,
)
from cortex_eventing.times import span, stamp
from harness import check, cpu_seconds, percentile
from neighbours import ZERO
from plain_http2 import PlainCall, PlainConnection

PATH = "/cortex.transcriber.v1.TranscriberService/StreamAudio"
RATE = 16_000
FRAME_MS = 20
FRAME_BYTES = RATE * FRAME_MS // 1_000 * 2
ROOMS = 10
"""Of one bot, on one connection."""

LOUDEST = 60
"""Of 32,768: what a microphone hears in a silent room. The gate takes it for silence, so that nothing is detected."""

DIFFERENT = 50
"""Frames that differ; then they come again."""

LEAD = 3.0
"""Seconds at the same pace before anything is counted. The silence of all speakers begins with them, and is
acknowledged in the eighth second and the fourteenth: not when counting begins, nor when it ends."""

TICK = 0.001
"""Seconds between two looks at what is due."""

SETTLES_WITHIN = 0.1
"""Seconds after the last frame until what it cost is counted."""

ANSWERS_WITHIN = 20.0


@dataclass
class Speaker:
    """One stream with one peer on it."""

    connection: PlainConnection
    call: PlainCall
    resolved: bool = False
    acknowledged: int = -1

    def send(self, message: bytes) -> None:
        """Send a message on its stream."""
        self.connection.send(self.call, message)

    def take_answers(self) -> None:
        """Note what the transcriber said."""
        for message in self.call.messages():
            answer = StreamAudioResponse.FromString(message)
            kind = answer.WhichOneof("message")
            check(kind in ("opened", "peer_resolved", "acknowledged"), f"the transcriber answered {kind}")
            self.resolved |= kind == "peer_resolved"
            if kind == "acknowledged":
                self.acknowledged = answer.acknowledged.through_sequence


class Load:
    """The streams of a block: bots, each with a connection, some rooms, and one clock for all of them."""

    def __init__(self, address: str, server: int, streams: int, *, answers: bool) -> None:
        self._server = server
        self._answers = answers
        self._late: list[float] = []
        self._selector = selectors.DefaultSelector()
        self._bots = [self._bot(PlainConnection(address)) for _ in range(streams // ROOMS)]
        self._until(lambda: not answers or all(speaker.resolved for speaker in self._speakers))

    def run(self, frames_a_message: int, seconds: float) -> dict[str, float]:
        """Send, and say what became of it."""
        length = FRAME_MS / 1_000 * frames_a_message
        counted, end = int(LEAD / length), int((LEAD + seconds) / length)
        began = time.perf_counter()
        self._send(range(counted), frames_a_message, began)
        self._late.clear()
        told = [speaker.acknowledged for speaker in self._speakers]
        before = cpu_seconds(self._server)
        self._send(range(counted, end), frames_a_message, began)
        self._until(lambda: False, SETTLES_WITHIN)
        used = cpu_seconds(self._server) - before
        return {
            "frames": (end - counted) * frames_a_message * sum(1 for _ in self._speakers),
            "cpu_seconds": used,
            "late": percentile(self._late, 99),
            "acknowledged": sum(now.acknowledged > then for now, then in zip(self._speakers, told, strict=True)),
            "heard_out": self._ended(end * frames_a_message),
        }

    def close(self) -> None:
        """Leave the server alone."""
        self._selector.close()
        for bot in self._bots:
            bot[0].connection.socket.close()

    @property
    def _speakers(self) -> Iterator[Speaker]:
        return (speaker for bot in self._bots for speaker in bot)

    def _bot(self, connection: PlainConnection) -> list[Speaker]:
        rooms = [Speaker(connection, connection.call(PATH)) for _ in range(ROOMS)]
        self._selector.register(connection.socket, selectors.EVENT_READ, (connection, rooms))
        for speaker in rooms if self._answers else ():
            speaker.send(_open().SerializeToString())
            speaker.send(_joined().SerializeToString())
        return rooms

    def _send(self, turns: range, frames_a_message: int, began: float) -> None:
        """In each turn a message of every speaker: of all rooms of a bot at once, the bots one after another."""
        length = frames_a_message * FRAME_MS / 1_000
        for turn in turns:
            message = _frames(turn * frames_a_message, frames_a_message)
            for number, bot in enumerate(self._bots):
                self._wait_until(began + (turn + number / len(self._bots)) * length)
                for speaker in bot:
                    speaker.send(message)

    def _wait_until(self, moment: float) -> None:
        while (ahead := moment - time.perf_counter()) > 0:
            self._receive(0)
            time.sleep(TICK)
        self._late.append(-ahead)

    def _ended(self, frames: int) -> int:
        """End all streams; how many speakers were heard to their end."""
        for speaker in self._speakers:
            if self._answers:
                speaker.send(StreamAudioRequest(end=End()).SerializeToString())
            speaker.connection.end(speaker.call)
        self._until(lambda: all(speaker.call.ended for speaker in self._speakers))
        return sum(speaker.acknowledged == frames - 1 for speaker in self._speakers)

    def _until(self, holds: Callable[[], bool], seconds: float | None = None) -> None:
        until = time.perf_counter() + (seconds or ANSWERS_WITHIN)
        while not holds():
            left = until - time.perf_counter()
            if left <= 0:
                check(seconds is not None, f"no answer within {ANSWERS_WITHIN:g} s")
                return
            self._receive(left)

    def _receive(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            connection, rooms = key.data
            connection.receive()
            for speaker in rooms:
                speaker.take_answers()


def _open() -> StreamAudioRequest:
    return StreamAudioRequest(open=Open(project_id=str(uuid.uuid4()), session_id=str(uuid.uuid4())))


def _joined() -> StreamAudioRequest:
    duration = span(timedelta(milliseconds=FRAME_MS))
    audio = AudioFormat(encoding=ENCODING_PCM_S16LE, sample_rate=RATE, frame_duration=duration)
    return StreamAudioRequest(
        peer_joined=PeerJoined(peer=1, peer_id="silent", user_id="silent", format=audio, sequence_zero_at=stamp(ZERO))
    )


def _frames(first: int, count: int) -> bytes:
    payloads = [ROOM_NOISE[number % DIFFERENT] for number in range(first, first + count)]
    return StreamAudioRequest(frames=Frames(peer=1, first_sequence=first, payloads=payloads)).SerializeToString()


def _room_noise() -> list[bytes]:
    noise = np.random.default_rng(1).integers(-LOUDEST, LOUDEST, (DIFFERENT, FRAME_BYTES // 2)).astype("<i2")
    return [frame.tobytes() for frame in noise]


ROOM_NOISE = _room_noise()


def main(address: str, server: int, *, answers: bool) -> None:
    """Answer one line for each line, until the input ends."""
    for line in sys.stdin:
        streams, frames_a_message, seconds = line.split()
        load = Load(address, server, int(streams), answers=answers)
        print(json.dumps(load.run(int(frames_a_message), float(seconds))), flush=True)
        load.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), answers=sys.argv[3:] == ["answers"])
