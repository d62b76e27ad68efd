"""Temporary folders that go with their process, and, where that was killed, with the next one."""

import asyncio
import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

# Locked for as long as the folder's process lives: the kernel lets go of the lock however the process ends.
IN_USE = "in-use"


@asynccontextmanager
async def scratch_folder(kind: str, parent: Path | None = None) -> AsyncIterator[Path]:
    """A fresh folder, open to us alone, for as long as the context lasts.

    What killed processes of the same user left behind is removed first: a copy of PostgreSQL is large.

    Args:
        kind: what its random name starts with.
        parent: where it lies; by default the system's temporary folder.
    """
    prefix = f"cortex-{kind}-"
    where = parent or Path(tempfile.gettempdir())
    await asyncio.to_thread(remove_abandoned, where, prefix)
    scratch = tempfile.TemporaryDirectory(prefix=prefix, dir=where)
    try:
        with _in_use(Path(scratch.name)):
            yield Path(scratch.name)
    finally:
        await asyncio.to_thread(scratch.cleanup)


def remove_abandoned(where: Path, prefix: str) -> None:
    """Remove our own folders whose process is gone; others' are not touched, nor ones that we did not make."""
    for folder in where.glob(f"{prefix}*"):
        if not folder.is_symlink() and _is_ours(folder) and _is_abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _in_use(folder: Path) -> Iterator[None]:
    # Renamed once it is locked: nobody ever sees a mark that is not held.
    unlocked = folder / f"{IN_USE}.new"
    with unlocked.open("w") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        unlocked.rename(folder / IN_USE)
        yield


def _is_ours(folder: Path) -> bool:
    try:
        return folder.stat().st_uid == os.geteuid()
    except OSError:
        return False


def _is_abandoned(folder: Path) -> bool:
    try:
        with (folder / IN_USE).open() as mark:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
