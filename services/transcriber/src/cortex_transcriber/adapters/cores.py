"""How many cores this process may use."""

import math
import os
from pathlib import Path
from typing import Final

QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")
"""What a container's limit on CPU time becomes (Linux, cgroups 2): so many microseconds in each period of so many."""


def usable_cores() -> int:
    """As many as the process may run on, and as its container has time for."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        return within(QUOTA.read_text(), allowed)
    except OSError:
        return allowed


def within(quota: str, cores: int) -> int:
    """As many of the cores as a quota pays for, at least one; all of them where it is none that can be read."""
    time, _, period = quota.strip().partition(" ")
    if not (time.isdigit() and period.isdigit() and int(period)):
        return cores
    return max(1, min(cores, math.ceil(int(time) / int(period))))
