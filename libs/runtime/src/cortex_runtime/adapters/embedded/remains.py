"""What a PostgreSQL that was killed leaves behind: its backends, and a segment of shared memory."""

import ctypes
import sys
from pathlib import Path

# shmctl(2): mark the segment for removal (the value of Linux's sys/ipc.h).
_IPC_RMID = 0
# The line of postmaster.pid that names the segment, "key id" (PostgreSQL's miscadmin.h, LOCK_FILE_LINE_SHMEM_KEY).
_SHARED_MEMORY_LINE = 7


def children_of(pid: int) -> list[int]:
    """The processes that `pid` started and that still run (Linux; elsewhere none are known)."""
    return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if _parent_of(entry) == pid]


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


def _parent_of(process: Path) -> int | None:
    try:
        status = (process / "stat").read_text()
    except OSError:
        return None
    # "pid (name) state ppid ...", and the name may hold spaces and brackets.
    return int(status.rpartition(")")[2].split()[1])
