"""`python bench [NAME]`: run one program, or all; each is a process of its own, so that none warms up another."""

import subprocess
import sys
from pathlib import Path

from harness import INTERRUPTED, WRONG_CALL

PROGRAMS = (
    "commands",
    "visible",
    "relay",
    "rebuild",
    "vad",
    "ingest",
    "transcribe",
    "transcribe-large",
    "density",
    "finalize",
    "hostile",
)
WITH_PEERS = ("transcribe", "density")
"""Programs that need `requirements/bench.txt`."""

HERE = Path(__file__).resolve().parent


def main(names: list[str]) -> int:
    """The exit status: 0 when all programs ran and were correct, whether or not the bars were met."""
    unknown = [name for name in names if name not in PROGRAMS]
    if unknown or len(names) > 1:
        print(f"bench: NAME is one of {', '.join(PROGRAMS)}; without it all of them run", file=sys.stderr)
        return WRONG_CALL
    failed = [name for name in names or PROGRAMS if _run(name)]
    if failed:
        print(f"bench: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _run(name: str) -> int:
    if name in WITH_PEERS and _python(HERE.parent / "scripts" / "bench_peers.py"):
        return 1
    return _python(HERE / f"{name.replace('-', '_')}.py")


def _python(program: Path) -> int:
    return subprocess.run([sys.executable, str(program)], check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
