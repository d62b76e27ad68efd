"""The transcriber as a process, on servers of its own and between neighbours that the bench plays."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import nats
from cortex.session.v1.events_pb2 import SessionEnded
from cortex_eventing.catalogue import Catalogue
from cortex_runtime.adapters.embedded.ports import LOOPBACK, free_port
from cortex_runtime.adapters.embedded.servers import EmbeddedServers, embedded_servers
from cortex_testkit.processes import ServiceProcess, service_process
from harness import healthy, tree_cpu_seconds
from neighbours import neighbours

SESSION_STREAM = "SESSION"
FINALS_ONLY = {"CORTEX_SPEECH_INTERIM_MS": "0"}


@dataclass
class Running:
    """The service, and what it stands on."""

    servers: EmbeddedServers
    process: ServiceProcess
    address: str

    def cpu_seconds(self) -> Mapping[str, float]:
        """What each part used since it began."""
        pids = {
            "transcriber": self.process.pid,
            "PostgreSQL": self.servers.postgres.pid,
            "nats-server": self.servers.nats.pid,
        }
        return {name: tree_cpu_seconds(pid) for name, pid in pids.items()}


@asynccontextmanager
async def transcriber(folder: Path, settings: Mapping[str, str]) -> AsyncIterator[Running]:
    """The service with settings of its own, ready."""
    address = f"{LOOPBACK}:{free_port()}"
    async with embedded_servers(["transcriber"]) as servers, neighbours() as around:
        await _make_session_stream(servers.nats.url)
        environment = {
            **servers.environments["transcriber"],
            "CORTEX_GRPC_PORT": address.rpartition(":")[2],
            "CORTEX_SESSION_ADDRESS": around,
            "CORTEX_IDENTITY_ADDRESS": around,
            **settings,
        }
        async with (
            service_process("cortex_transcriber", environment, folder / "transcriber.log") as process,
            grpc.aio.insecure_channel(address) as channel,
        ):
            await process.until_ready(lambda: healthy(channel))
            yield Running(servers, process, address)


async def _make_session_stream(url: str) -> None:
    """The stream that the transcriber follows; without it the transcriber would look for it all the time."""
    client = await nats.connect(url)
    await client.jetstream().add_stream(name=SESSION_STREAM, subjects=list(Catalogue([SessionEnded]).filters()))
    await client.close()
