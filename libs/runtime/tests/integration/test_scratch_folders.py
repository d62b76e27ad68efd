"""Temporary folders of servers: none stays, however its process ended."""

import subprocess
import sys
from pathlib import Path

import pytest
from cortex_runtime.adapters.embedded.scratch import scratch_folder

pytestmark = pytest.mark.integration

HOLDING = """
import asyncio, sys
from pathlib import Path
from cortex_runtime.adapters.embedded.scratch import scratch_folder

async def main():
    async with scratch_folder("test", Path(sys.argv[1])) as folder:
        print(folder, flush=True)
        await asyncio.to_thread(input)

asyncio.run(main())
"""


async def test_goes_with_the_context(tmp_path: Path) -> None:
    """Whatever was put into it goes, too."""
    async with scratch_folder("test", tmp_path) as folder:
        (folder / "data").mkdir()
        assert folder.stat().st_mode & 0o777 == 0o700
    assert list(tmp_path.iterdir()) == []


async def test_the_next_one_removes_what_a_killed_process_left(tmp_path: Path) -> None:
    """While its process lives a folder stays, and once that was killed it goes."""
    command = [sys.executable, "-c", HOLDING, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:  # noqa: ASYNC220
        assert other.stdout is not None
        theirs = Path(other.stdout.readline().strip())
        async with scratch_folder("test", tmp_path):
            assert theirs.exists()
        other.kill()
    assert theirs.exists()
    async with scratch_folder("test", tmp_path):
        assert not theirs.exists()


async def test_leaves_folders_alone_that_nobody_marked(tmp_path: Path) -> None:
    """A folder that only has a similar name, or is just being made, is not ours to remove."""
    similar = tmp_path / "cortex-test-mine"
    similar.mkdir()
    (tmp_path / "cortex-test-link").symlink_to(similar)
    async with scratch_folder("test", tmp_path):
        assert similar.exists()
    assert (tmp_path / "cortex-test-link").is_symlink()
