"""Become a server: give up root, ask the kernel for a death signal, turn into the program.

Run as a script in a process of its own, because all three steps must happen between fork and exec, where a process
with threads may not run Python. Nothing of the package is imported, so that it starts in a few milliseconds.

Arguments: the parent's pid, the death signal's number, `UID:GID` (or `-` to stay who one is), then the program and its
arguments.
"""

import ctypes
import os
import sys

# prctl(2): deliver this signal when the thread that forked this process ends.
PR_SET_PDEATHSIG = 1


def main(parent: str, death_signal: str, identity: str, *program: str) -> None:
    """Replace this process by `program`; returns only where the parent is already gone."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None
    if identity != "-":
        uid, gid = identity.split(":")
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    if prctl is not None:
        # After the change of user: the kernel forgets the death signal when the user changes.
        prctl(PR_SET_PDEATHSIG, int(death_signal))
    if os.getppid() == int(parent):  # else the parent ended before it could be watched
        os.execv(program[0], program)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(*sys.argv[1:])
