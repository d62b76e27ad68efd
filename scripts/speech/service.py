"""The way through the service: tracks go into `StreamAudio` in messages of 100 ms, and finals come back."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cortex.common.v1.audio_pb2 import AudioFormat
from cortex.transcriber.v1.transcriber_service_pb2 import (
    End,
    FinalText,
    Frames,
    Open,
    PeerJoined,
    StreamAudioRequest,
)
from cortex_client.client import Addresses, CortexClient
from cortex_client.peer import Encoding
from cortex_client.unacknowledged import Unacknowledged, end_of
from cortex_eventing.times import span, stamp
from cortex_runtime.adapters.embedded.servers import embedded_servers
from cortex_testkit.environment import settings_from
from cortex_transcriber.settings import TranscriberSettings
from cortex_transcriber.speech.segmenting import Segmenting
from cortex_transcriber.wiring import transcriber_service

from bench.neighbours import ZERO, neighbours
from scripts.speech.conditions import FRAME_MS, Sent

FRAMES_A_MESSAGE = 100 // FRAME_MS
HEARD_WITHIN = 300.0
"""Seconds for a whole track on the slowest machine that is worth a measurement."""


def any_session() -> tuple[str, str]:
    """A new project and a session of it, where every session takes audio."""
    return str(uuid.uuid4()), str(uuid.uuid4())


@dataclass(frozen=True)
class Service:
    """A running transcriber.

    Attributes:
        address: where it listens.
        new_session: gives a project and a session that takes audio.
    """

    address: str
    new_session: Callable[[], tuple[str, str]] = any_session

    async def heard(self, tracks: Sequence[Sent]) -> Sequence[str]:
        """The words of each track, all streamed side by side in one room."""
        finals = await self.finals(tracks)
        own = [[final for final in finals if final.peer == peer] for peer, _ in enumerate(tracks, start=1)]
        return [" ".join(final.text for final in sorted(each, key=lambda final: final.first_sequence)) for each in own]

    async def finals(self, tracks: Sequence[Sent]) -> Sequence[FinalText]:
        """Everything that was said in one room."""
        project, session = self.new_session()
        known, finals = asyncio.Semaphore(0), list[FinalText]()
        nobody = Addresses(self.address, self.address, self.address)
        async with CortexClient(nobody, project) as cortex, asyncio.timeout(HEARD_WITHIN):
            opening = Open(project_id=project, session_id=session)
            async for response in cortex.transcriber.StreamAudio(_requests(opening, tracks, known)):
                match response.WhichOneof("message"):
                    case "peer_resolved":
                        known.release()
                    case "final":
                        finals.append(response.final)
                    case "peer_refused" | "draining" | "session_over" as unexpected:
                        raise RuntimeError(f"the transcriber answered {unexpected}")
        return finals


@asynccontextmanager
async def running(model: Path, endpoint_ms: int = Segmenting.endpoint_ms) -> AsyncIterator[Service]:
    """The transcriber as it is shipped, with a model, on PostgreSQL and NATS of its own; interims would only cost."""
    async with embedded_servers(["transcriber"]) as servers, neighbours() as around:
        environment = {
            **servers.environments["transcriber"],
            "CORTEX_SESSION_ADDRESS": around,
            "CORTEX_IDENTITY_ADDRESS": around,
            "CORTEX_MODEL_DIR": str(model),
            "CORTEX_MODEL_WORKERS": "1",
            "CORTEX_MODEL_MEASURE": "false",
            "CORTEX_SPEECH_INTERIM_MS": "0",
            "CORTEX_SPEECH_ENDPOINT_MS": str(endpoint_ms),
        }
        async with transcriber_service(settings_from(TranscriberSettings, environment)) as listening:
            yield Service(listening.address)


async def _requests(
    opening: Open, tracks: Sequence[Sent], known: asyncio.Semaphore
) -> AsyncIterator[StreamAudioRequest]:
    """Everybody joins, then all talk side by side, message by message."""
    yield StreamAudioRequest(open=opening)
    for peer, track in enumerate(tracks, start=1):
        yield StreamAudioRequest(peer_joined=_joined(peer, track))
        await known.acquire()
    talking = [_messages(peer, track) for peer, track in enumerate(tracks, start=1)]
    while talking:
        for voice in list(talking):
            if (frames := next(voice, None)) is None:
                talking.remove(voice)
            else:
                yield StreamAudioRequest(frames=frames)
    yield StreamAudioRequest(end=End())


def _joined(number: int, track: Sent) -> PeerJoined:
    audio = AudioFormat(
        encoding=Encoding[track.audio.encoding.name].value,
        sample_rate=track.audio.sample_rate,
        channels=1,
        frame_duration=span(timedelta(milliseconds=FRAME_MS)),
    )
    who = f"voice-{number}"
    return PeerJoined(peer=number, peer_id=who, user_id=who, format=audio, sequence_zero_at=stamp(ZERO))


def _messages(peer: int, track: Sent) -> Iterator[Frames]:
    kept = Unacknowledged(len(track.frames) + 1)
    for frame in track.frames:
        kept.add(frame)
    at = kept.after_losses(0)
    while (frames := kept.message(peer, at, FRAMES_A_MESSAGE)) is not None:
        yield frames
        at = kept.after_losses(end_of(frames))
