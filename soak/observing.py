"""What a soak of speakers sees from outside: memory, metrics, and whether a stream may open."""

import asyncio
import urllib.request
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
from cortex.transcriber.v1.transcriber_service_pb2 import Open, StreamAudioRequest
from cortex.transcriber.v1.transcriber_service_pb2_grpc import TranscriberServiceStub
from cortex_client.errors import LimitReached, failure_of
from cortex_runtime.adapters.embedded.ports import LOOPBACK
from service import Running

if TYPE_CHECKING:
    from cortex.transcriber.v1.transcriber_service_pb2_grpc import TranscriberServiceAsyncStub

PROBE_EVERY_S = 2.0
ANSWER_WITHIN = 10.0
PREFIX = "cortex_transcriber_"


@dataclass(frozen=True)
class Observation:
    """The transcriber at a moment.

    Attributes:
        at_s: seconds since the speakers began.
        rss_mb: its memory.
        lateness_s: for how long the oldest final has been waited for.
        shed: interims so far that there was no time for.
    """

    at_s: float
    rss_mb: float
    lateness_s: float
    shed: float


class Observer:
    """Looks at the transcriber's process and metrics."""

    def __init__(self, running: Running, admin_port: int) -> None:
        self._running = running
        self._metrics = f"http://{LOOPBACK}:{admin_port}/metrics"
        self._seen: list[Observation] = []

    async def look(self, at_s: float) -> Observation:
        """How it is now."""
        metrics = await asyncio.to_thread(self._read)
        seen = Observation(
            at_s, self._rss_mb(), metrics["final_lateness_seconds"], metrics.get("interims_shed_total", 0.0)
        )
        self._seen.append(seen)
        return seen

    @property
    def shed(self) -> float:
        """Interims that were shed."""
        return self._seen[-1].shed

    def growth_mb(self, since: float, until: float) -> float:
        """By how much memory grew in between: the last third's mean over the first third's."""
        series = [seen.rss_mb for seen in self._seen if since <= seen.at_s < until]
        third = max(1, len(series) // 3)
        return (sum(series[-third:]) - sum(series[:third])) / third

    def _read(self) -> dict[str, float]:
        with urllib.request.urlopen(self._metrics, timeout=ANSWER_WITHIN) as answer:  # noqa: S310 - our own http
            lines = answer.read().decode().splitlines()
        pairs = [line.rpartition(" ") for line in lines if line.startswith(PREFIX)]
        return {name.removeprefix(PREFIX): float(value) for name, _, value in pairs}

    def _rss_mb(self) -> float:
        status = Path(f"/proc/{self._running.process.pid}/status").read_text(encoding="ascii")
        (line,) = [line for line in status.splitlines() if line.startswith("VmRSS")]
        return int(line.split()[1]) / 1_024


class Prober:
    """Tries every two seconds to open a stream, as a bot would that comes now.

    Attributes:
        opened: how often it was let in.
        refused: how often it was told that the replica is busy, and when to come back.
        opened_last: whether it was let in the last time.
    """

    def __init__(self, stub: "TranscriberServiceAsyncStub") -> None:
        self._stub = stub
        self.opened = 0
        self.refused = 0
        self.opened_last = False

    @classmethod
    @asynccontextmanager
    async def of(cls, running: Running) -> AsyncIterator["Prober"]:
        """One that knocks at this transcriber."""
        async with grpc.aio.insecure_channel(running.address) as channel:
            yield cls(TranscriberServiceStub(channel))

    async def probe(self) -> None:
        """Go on for ever."""
        while True:
            await self._knock()
            await asyncio.sleep(PROBE_EVERY_S)

    async def _knock(self) -> None:
        opening = Open(project_id=str(uuid.uuid4()), session_id=str(uuid.uuid4()))
        call = self._stub.StreamAudio(_only(StreamAudioRequest(open=opening)), timeout=ANSWER_WITHIN)
        try:
            async for _ in call:
                self.opened += 1
                self.opened_last = True
                break
        except grpc.aio.AioRpcError as failed:
            if not is_busy(failed):
                raise
            self.refused += 1
            self.opened_last = False
        finally:
            call.cancel()


def is_busy(failed: grpc.aio.AioRpcError) -> bool:
    """Whether a stream was refused because finals are late, and its bot told when to come back."""
    error = failure_of(failed)
    return isinstance(error, LimitReached) and error.reason == "REPLICA_BUSY" and bool(error.retry_after)


async def _only(request: StreamAudioRequest) -> AsyncIterator[StreamAudioRequest]:
    yield request
