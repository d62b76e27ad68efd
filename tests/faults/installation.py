"""The three services on PostgreSQL and NATS of their own, each to be killed at any time and place."""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import grpc
from cortex_client.channels import open_channel
from cortex_client.client import Addresses
from cortex_eventing.failpoints import ENABLED, VARIABLE
from cortex_runtime.adapters.embedded.ports import LOOPBACK, free_port
from cortex_runtime.adapters.embedded.servers import EmbeddedServers, embedded_servers
from cortex_testkit.processes import ServiceProcess
from grpc_health.v1 import health_pb2, health_pb2_grpc

SERVICES = ("identity", "session", "transcriber")

SCRIPTED = {"CORTEX_MODEL_RECOGNISER": "scripted"}
"""What makes the transcriber say which frames it was given."""

GRACE_S = 2
"""Seconds that running calls get when a service is asked to stop; no test waits for one that takes longer."""

ANSWER_WITHIN = 1.0
"""Seconds for an answer about health: loopback answers in milliseconds once the process listens."""

REACHED_WITHIN = 40.0
"""Seconds in which the traffic passes every failpoint many times, its services' start and a busy machine included."""

LAST_WORDS = 4_000
"""Characters of a service's output that are shown when it did not do what it should."""


class Installation:
    """Identity, session and transcriber as processes.

    Attributes:
        servers: their PostgreSQL and NATS.
        addresses: where they listen, before and after every restart.
    """

    def __init__(self, servers: EmbeddedServers, logs: Path) -> None:
        self.servers = servers
        self.ports = {name: free_port() for name in SERVICES}
        self.addresses = Addresses(**{name: f"{LOOPBACK}:{port}" for name, port in self.ports.items()})
        self._logs = logs
        self._altered: set[str] = set()
        self._commands = count(1)
        self._processes = {name: self.replica(name, self.ports[name]) for name in SERVICES}

    def replica(self, name: str, port: int) -> ServiceProcess:
        """One more process of a service; whoever makes it ends it."""
        return ServiceProcess(f"cortex_{name}", self._environment(name, port), self._logs / f"{name}-{port}.log")

    def _environment(self, name: str, port: int) -> dict[str, str]:
        others = {f"CORTEX_{other.upper()}_ADDRESS": getattr(self.addresses, other) for other in SERVICES}
        return {
            **self.servers.environments[name],
            **others,
            "CORTEX_GRPC_PORT": str(port),
            "CORTEX_GRPC_GRACE": str(GRACE_S),
            **(SCRIPTED if name == "transcriber" else {}),
        }

    async def start(self, name: str, failpoint: str = "", environment: Mapping[str, str] | None = None) -> None:
        """Start a service that does not run, armed with `failpoint=action` if one is given; does not wait for it."""
        armed = {VARIABLE: failpoint, ENABLED: "true"} if failpoint else {}
        altered = {**armed, **(environment or {})}
        (self._altered.add if altered else self._altered.discard)(name)
        await self._processes[name].start(altered)

    async def mend(self) -> None:
        """Have every service run, without failpoints and in its own environment, whatever was done to it."""
        for name in SERVICES:
            if name in self._altered:
                await self.kill(name)
            if not self.running(name):
                await self.start(name)
        await self.serving()

    async def kill(self, *names: str) -> None:
        """Kill -9; harmless for what has ended."""
        await asyncio.gather(*(self._processes[name].kill() for name in names))

    async def died(self, name: str, failpoint: str) -> None:
        """Wait until a service has been killed by its failpoint.

        Raises:
            AssertionError: it never got there, or ended otherwise.
        """
        try:
            code = await self._processes[name].wait(REACHED_WITHIN)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{name} did not reach {failpoint}:\n{self.output(name)[-LAST_WORDS:]}") from None
        assert code == -signal.SIGKILL, f"{name} ended with {code}:\n{self.output(name)[-LAST_WORDS:]}"

    async def serving(self, *names: str) -> None:
        """Wait until services say that they are ready. Raises DidNotStart."""
        await asyncio.gather(*(self._serving(name) for name in names or SERVICES))

    async def run(self, name: str, *arguments: str) -> str:
        """Run `python -m cortex_NAME ARGUMENTS` to its end, in good order; what it wrote."""
        log = self._logs / f"{name}-command-{next(self._commands)}.log"
        process = ServiceProcess(f"cortex_{name}", self._environment(name, self.ports[name]), log, arguments)
        await process.start()
        code = await process.wait()
        assert code == 0, process.output()
        return process.output()

    def output(self, name: str) -> str:
        """What all runs of a service have written."""
        return self._processes[name].output()

    def pid(self, name: str) -> int:
        """The process of a service."""
        return self._processes[name].pid

    def running(self, name: str) -> bool:
        """Whether a service's process is there."""
        return self._processes[name].exit_code is None

    async def stop(self) -> None:
        """End all services in good order."""
        await asyncio.gather(*(process.stop() for process in self._processes.values()))

    async def _serving(self, name: str) -> None:
        process = self._processes[name]
        await process.until_ready(lambda: is_serving(getattr(self.addresses, name)))


async def is_serving(address: str) -> bool:
    """Whether a service says that it is ready."""
    async with open_channel(address) as channel:
        try:
            answer = await health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=ANSWER_WITHIN
            )
        except grpc.aio.AioRpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


@asynccontextmanager
async def installation(logs: Path, services: Sequence[str] = SERVICES) -> AsyncIterator[Installation]:
    """A running installation; nothing of it is left afterwards."""
    async with embedded_servers(SERVICES) as servers:
        installed = Installation(servers, logs)
        try:
            for name in services:
                await installed.start(name)
            await installed.serving(*services)
            yield installed
        finally:
            await installed.stop()
