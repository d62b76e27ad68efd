"""Bots that talk in real time: one stream each, a room of speakers, and what was heard of them.

A final's delay counts from the moment at which silence had lasted for the endpoint's time, whenever it was announced,
and whenever this process came to send or to read.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import grpc
from conversations import RATE
from cortex.common.v1.audio_pb2 import ENCODING_PCM_S16LE, AudioFormat
from cortex.transcriber.v1.transcriber_service_pb2 import (
    End,
    FinalText,
    Frames,
    Open,
    PeerJoined,
    StreamAudioRequest,
    StreamAudioResponse,
)
from cortex_eventing.times import span, stamp
from harness import check
from neighbours import ZERO
from pacing import Timed, paced
from speaking import ENDPOINT_S, spoken
from talk import FRAME_MS, FRAMES_A_SECOND, Turn

METHOD = "/cortex.transcriber.v1.TranscriberService/StreamAudio"

ROOM = 5
"""Speakers of one bot, as in a voice room of a game."""


@dataclass
class Said:
    """A turn, and what came of it.

    Attributes:
        speaker: who.
        utterance: what was said.
        end_s: when the last sample was, in seconds after the beginning.
        delay_s: from the endpoint's time after it to the last final of it; None when none came.
        text: of its finals.
    """

    speaker: int
    utterance: int
    end_s: float
    delay_s: float | None = None
    text: str = ""


class Bot:
    """One room: its stream, what its peers say, and what was heard of it."""

    def __init__(self, turns: Sequence[Sequence[Turn]], seconds: float, pcm: Sequence[bytes]) -> None:
        self._turns = turns
        self._pcm = pcm
        self._through = [-1] * len(turns)
        self._joined = asyncio.Semaphore(0)
        self._last = round(seconds * FRAMES_A_SECOND) - 1
        self.began: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.ready = asyncio.Event()
        self.said = [[Said(t.speaker, t.utterance, t.end_s) for t in own] for own in turns]
        self.late: list[float] = []
        self.interims = 0

    @property
    def unaccounted(self) -> int:
        """Frames that were not acknowledged."""
        return sum(self._last - through for through in self._through)

    async def run(self, channel: grpc.aio.Channel, *, interims: bool) -> None:
        """Join, talk, and wait for what is owed."""
        call = channel.stream_stream(
            METHOD, request_serializer=_as_it_is, response_deserializer=StreamAudioResponse.FromString
        )
        async for response in call(self._requests(interims=interims)):
            self._take(response)

    def _take(self, response: StreamAudioResponse) -> None:
        match response.WhichOneof("message"):
            case "peer_resolved":
                self._joined.release()
            case "opened":
                promised = response.opened.endpoint_silence.ToTimedelta()
                check(promised == timedelta(seconds=ENDPOINT_S), f"an endpoint of {promised}")
            case "interim":
                self.interims += 1
            case "final":
                self._final(response.final)
            case "acknowledged":
                peer, through = response.acknowledged.peer, response.acknowledged.through_sequence
                self._through[peer - 1] = through
            case unexpected:
                check(correct=False, what=f"the transcriber answered {unexpected}: {response}")

    def _final(self, final: FinalText) -> None:
        now = time.perf_counter() - self.began.result()
        middle = (final.first_sequence + final.last_sequence) // 2
        peer = final.peer - 1
        for turn, said in zip(self._turns[peer], self.said[peer], strict=True):
            if turn.first <= middle <= turn.first + turn.frames:
                said.delay_s = now - turn.end_s - ENDPOINT_S
                said.text = f"{said.text} {final.text}".strip()
                return
        check(correct=False, what=f"a final of what nobody said: {final.text!r}")

    async def _requests(self, *, interims: bool) -> AsyncIterator[bytes]:
        opening = Open(project_id=str(uuid.uuid4()), session_id=str(uuid.uuid4()), include_interim=interims)
        yield StreamAudioRequest(open=opening).SerializeToString()
        for peer in range(len(self._turns)):
            yield StreamAudioRequest(peer_joined=_joined(peer + 1)).SerializeToString()
            await self._joined.acquire()
        plans = [
            map(_message, spoken(peer, turns, self._last + 1, self._pcm))
            for peer, turns in enumerate(self._turns, start=1)
        ]
        self.ready.set()
        async for message in paced(plans, await self.began, self.late):
            yield message
        yield StreamAudioRequest(end=End()).SerializeToString()


def _message(timed: Timed[Frames]) -> Timed[bytes]:
    at, order, frames = timed
    return at, order, StreamAudioRequest(frames=frames).SerializeToString()


def _as_it_is(message: bytes) -> bytes:
    return message


def _joined(peer: int) -> PeerJoined:
    audio = AudioFormat(
        encoding=ENCODING_PCM_S16LE, sample_rate=RATE, frame_duration=span(timedelta(milliseconds=FRAME_MS))
    )
    name = f"speaker {peer}"
    return PeerJoined(peer=peer, peer_id=name, user_id=name, format=audio, sequence_zero_at=stamp(ZERO))
