"""PostgreSQL as the demo and the tests run it: the real server, on loopback, guarded, and gone afterwards."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from cortex_runtime.adapters.embedded import PostgresServer, embedded_postgres
from cortex_runtime.adapters.embedded.installation import UNPRIVILEGED
from psycopg.conninfo import conninfo_to_dict

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[PostgresServer]:
    async with embedded_postgres() as server:
        yield server


async def ask(dsn: str, question: str) -> object:
    """The first column of the first row."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        answer = await connection.execute(question)
        row = await answer.fetchone() if answer.description else None
    return row[0] if row else None


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", ""),
        ("wal_recycle", "off"),
        ("min_wal_size", "32MB"),
        ("max_connections", "200"),
        ("password_encryption", "scram-sha-256"),
        ("fsync", "on"),
        ("server_encoding", "UTF8"),
    ],
)
async def test_runs_with_our_settings(server: PostgresServer, setting: str, value: str) -> None:
    """Loopback only, nothing erased kept in recycled segments, and as durable as in production."""
    assert await ask(server.dsn, f"SHOW {setting}") == value


async def test_every_connection_needs_a_password(server: PostgresServer) -> None:
    """No line of its access rules trusts anybody."""
    methods = await ask(
        server.dsn, "SELECT array_agg(DISTINCT auth_method) FROM pg_hba_file_rules WHERE type <> 'local'"
    )
    assert methods == ["scram-sha-256"]


async def test_refuses_a_wrong_password(server: PostgresServer) -> None:
    """Another user of this machine who finds the port does not get in."""
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        await ask(f"postgresql://postgres:wrong@{server.host}:{server.port}/postgres", "SELECT 1")


def test_hides_its_password_from_the_process_list(server: PostgresServer) -> None:
    """A command line can be read by every user of the machine."""
    arguments = Path(f"/proc/{server.pid}/cmdline").read_bytes()
    password = str(conninfo_to_dict(server.dsn)["password"])
    assert password.encode() not in arguments


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to give up its rights")
def test_runs_without_rights_under_root(server: PostgresServer) -> None:
    """The server itself runs as the unprivileged user, with no group left from root."""
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{server.pid}/status").read_text().splitlines() if ":\t" in line
    )
    assert Path(f"/proc/{server.pid}").owner() == UNPRIVILEGED
    assert "0" not in status["Gid"].split()
    assert status["Groups"].split() == []


async def test_keeps_what_was_committed_over_a_crash(server: PostgresServer) -> None:
    """A killed server comes back under the same address with every committed row."""
    await ask(server.dsn, "CREATE TABLE kept AS SELECT 7 AS value")
    address, pid = server.dsn, server.pid
    await server.kill()
    await server.restart()
    assert server.pid != pid
    assert await ask(address, "SELECT value FROM kept") == 7


async def test_a_crash_takes_the_backends_along(server: PostgresServer) -> None:
    """After a kill nobody goes on committing: a backend left alone would finish what it does."""
    async with await psycopg.AsyncConnection.connect(server.dsn) as connection:
        backend = connection.info.backend_pid
        await server.kill()
        assert not is_running(backend)
    await server.restart()


async def test_a_folder_keeps_its_data_from_run_to_run(folder_for_servers: Path) -> None:
    """The second run finds the first one's rows, and knows the password."""
    async with embedded_postgres(folder_for_servers) as first:
        await ask(first.dsn, "CREATE TABLE kept AS SELECT 7 AS value")
    async with embedded_postgres(folder_for_servers) as second:
        assert await ask(second.dsn, "SELECT value FROM kept") == 7


async def test_an_unfinished_first_start_is_done_again(folder_for_servers: Path) -> None:
    """A folder whose first start was cut short is not taken for a database."""
    unfinished = folder_for_servers / "data.unfinished"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    async with embedded_postgres(folder_for_servers) as server:
        assert await ask(server.dsn, "SELECT 1") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's server runs as that user")
async def test_a_folder_that_the_server_cannot_reach_is_an_error(folder_for_servers: Path) -> None:
    """Root hears which folder keeps others out, and nothing about it is changed."""
    closed = folder_for_servers / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(PermissionError, match=r"other users cannot enter .*closed"):
        async with embedded_postgres(closed / "servers"):
            pass
    assert closed.stat().st_mode & 0o777 == 0o700


async def test_leaves_nothing_behind() -> None:
    """The process, its data and, under root, the copy of the programs go with the context."""
    async with embedded_postgres() as server:
        pid = server.pid
        data = Path(str(await ask(server.dsn, "SHOW data_directory")))
    assert not is_running(pid)
    assert not data.parent.parent.exists()


def is_running(pid: int) -> bool:
    """Whether a process works; one that ended and was not yet waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
