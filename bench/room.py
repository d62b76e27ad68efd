"""A bot that streams a conversation as fast as the transcriber takes it, and collects the finals."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import grpc
from conversations import RATE, Conversation
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
from cortex.transcriber.v1.transcriber_service_pb2_grpc import TranscriberServiceStub
from cortex_eventing.times import span, stamp
from harness import check
from neighbours import ZERO

FRAME_MS = 20
FRAMES_A_MESSAGE = 5
"""A message holds 100 ms of one speaker."""

FRAME_BYTES = RATE * FRAME_MS // 1_000 * 2
HEARD_WITHIN = 120.0


async def transcribed(address: str, conversation: Conversation) -> Sequence[str]:
    """What the transcriber heard of each track, in the order of the tracks."""
    return [" ".join(final.text for final in own) for own in await finals_of(address, conversation)]


async def finals_of(address: str, conversation: Conversation) -> Sequence[Sequence[FinalText]]:
    """The finals of each track, in the order of the tracks."""
    known, finals = asyncio.Semaphore(0), list[FinalText]()
    async with grpc.aio.insecure_channel(address) as channel, asyncio.timeout(HEARD_WITHIN):
        async for response in TranscriberServiceStub(channel).StreamAudio(_requests(conversation, known)):
            _take(response, known, finals)
    finals.sort(key=lambda each: each.first_sequence)
    return [[final for final in finals if final.peer == peer] for peer, _ in enumerate(conversation, start=1)]


def _take(response: StreamAudioResponse, known: asyncio.Semaphore, finals: list[FinalText]) -> None:
    match response.WhichOneof("message"):
        case "peer_resolved":
            known.release()
        case "final":
            finals.append(response.final)
        case "peer_refused" | "draining" | "session_over" as unexpected:
            check(correct=False, what=f"the transcriber answered {unexpected}")


async def _requests(conversation: Conversation, known: asyncio.Semaphore) -> AsyncIterator[StreamAudioRequest]:
    """A new session: everybody joins, then all talk side by side, message by message."""
    yield StreamAudioRequest(open=Open(project_id=str(uuid.uuid4()), session_id=str(uuid.uuid4())))
    for peer, track in enumerate(conversation, start=1):
        yield StreamAudioRequest(peer_joined=_joined(peer, track.name))
        await known.acquire()
    voices = [track.pcm.astype("<i2").tobytes() for track in conversation]
    for sequence in range(0, len(voices[0]) // FRAME_BYTES, FRAMES_A_MESSAGE):
        for peer, voice in enumerate(voices, start=1):
            yield StreamAudioRequest(frames=_frames(peer, sequence, voice))
    yield StreamAudioRequest(end=End())


def _joined(peer: int, name: str) -> PeerJoined:
    audio = AudioFormat(
        encoding=ENCODING_PCM_S16LE, sample_rate=RATE, frame_duration=span(timedelta(milliseconds=FRAME_MS))
    )
    return PeerJoined(peer=peer, peer_id=name, user_id=name, format=audio, sequence_zero_at=stamp(ZERO))


def _frames(peer: int, first: int, voice: bytes) -> Frames:
    starts = range(first * FRAME_BYTES, (first + FRAMES_A_MESSAGE) * FRAME_BYTES, FRAME_BYTES)
    payloads = [voice[start : start + FRAME_BYTES] for start in starts]
    whole = [payload for payload in payloads if len(payload) == FRAME_BYTES]
    return Frames(peer=peer, first_sequence=first, payloads=whole)
