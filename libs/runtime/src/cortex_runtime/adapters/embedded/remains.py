"""What a PostgreSQL that was killed leaves behind: its backends, and a segment of shared memory."""

import asyncio
import ctypes
import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

# shmctl(2): mark the segment for removal (the value of Linux's sys/ipc.h).
_IPC_RMID = 0
# The line of postmaster.pid that names the segment, "key id" (PostgreSQL's miscadmin.h, LOCK_FILE_LINE_SHMEM_KEY).
_SHARED_MEMORY_LINE = 7


@contextmanager
def children_of(pid: int) -> Iterator[list[int]]:
    """Handles (pidfds) of the processes that `pid` started and that still run; Linux, elsewhere none are known.

    A handle stands for its process alone, while a pid may be given to another one at any time.
    """
    with ExitStack() as handles:
        found = []
        for child in _children(pid):
            with suppress(ProcessLookupError):
                found.append(handles.enter_context(_handle(child)))
        yield found


async def end(children: list[int]) -> None:
    """Kill them, and wait until they are gone."""
    for child in children:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(child, signal.SIGKILL)
    for child in children:
        await asyncio.to_thread(_until_gone, child)


def remove_shared_memory(data: Path) -> None:
    """Remove the segment of a killed postmaster; one that ended in good order has removed it, and its pid file, itself.

    Args:
        data: the data folder of a server that no longer runs.
    """
    pid_file = data / "postmaster.pid"
    if sys.platform != "linux" or not pid_file.exists():
        return
    lines = pid_file.read_text(encoding="ascii").splitlines()
    if len(lines) >= _SHARED_MEMORY_LINE:
        _, segment = lines[_SHARED_MEMORY_LINE - 1].split()
        ctypes.CDLL(None).shmctl(int(segment), _IPC_RMID, None)


def _children(pid: int) -> list[int]:
    return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if _parent_of(entry) == pid]


@contextmanager
def _handle(pid: int) -> Iterator[int]:
    handle = os.pidfd_open(pid)
    try:
        yield handle
    finally:
        os.close(handle)


def _until_gone(child: int) -> None:
    gone = select.poll()
    gone.register(child, select.POLLIN)
    gone.poll()


def _parent_of(process: Path) -> int | None:
    try:
        status = (process / "stat").read_text()
    except OSError:
        return None
    # "pid (name) state ppid ...", and the name may hold spaces and brackets.
    return int(status.rpartition(")")[2].split()[1])
