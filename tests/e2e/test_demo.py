"""The demo as a user runs it, with the shipped model, faster than life."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

SPEED = "6"
BOUND = 0.12
LAST_LINE = re.compile(
    r"demo ok: 3 speakers, (?P<messages>\d+) messages, word error rate (?P<rate>\d\.\d\d),"
    r" p95 end of speech to message (?P<p95>\d+) ms \(speed 6\)"
)


class Demo:
    """A running demo, its lines so far, and the processes that belong to it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self.processes: dict[int, str] = {}

    async def until(self, wanted: Callable[[str], bool]) -> None:
        """Read until a line is as wanted, and note who runs then."""
        assert self.process.stdout
        async for line in self.process.stdout:
            self.lines.append(line.decode().rstrip())
            if wanted(self.lines[-1]):
                self.processes |= descendants(self.process.pid)
                return
        pytest.fail("the line never came:\n" + "\n".join(self.lines))

    async def end(self) -> int:
        """Read to the end; the exit status."""
        assert self.process.stdout
        self.lines += [line.decode().rstrip() async for line in self.process.stdout]
        return await self.process.wait()

    def pid_of(self, name: str) -> int:
        """The process whose command line ends with this module."""
        return next(pid for pid in self.processes if command_line(pid).endswith(f"-m {name}"))

    def left(self) -> list[str]:
        """Which of its processes still run."""
        return [command_line(pid) for pid, started in self.processes.items() if started_at(pid) == started]


@asynccontextmanager
async def a_demo() -> AsyncIterator[Demo]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cortex_client.demo",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "SPEED": SPEED},
    )
    try:
        yield Demo(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


def is_message(line: str) -> bool:
    return re.search(r" s  (Anna|Robert|Callum): ", line) is not None


async def test_the_demo_hears_three_speakers_and_leaves_nothing_behind() -> None:
    """Interims, messages and events are shown, the words are right, the last line says so, every process is gone."""
    async with a_demo() as demo:
        await demo.until(is_message)
        status = await demo.end()
        told = "\n".join(demo.lines)
        assert status == 0, told
        last = LAST_LINE.fullmatch(demo.lines[-1])
        assert last, told
        assert float(last["rate"]) <= BOUND
        assert int(last["messages"]) >= 3
        assert " … " in told
        assert {"utterance.transcribed", "message.created", "session.ended"} <= set(re.findall(r"event (\S+)", told))
        assert len(demo.processes) >= 5
        assert demo.left() == []


async def test_ctrl_c_ends_everything() -> None:
    """An interrupted demo says so, exits as an interrupted program does, and leaves no process."""
    async with a_demo() as demo:
        await demo.until(is_message)
        demo.process.send_signal(signal.SIGINT)
        assert await demo.end() == 130
        assert demo.lines[-1] == "demo stopped"
        assert demo.left() == []


async def test_a_service_that_dies_ends_the_demo() -> None:
    """The demo names the service that ended, fails, and leaves no process."""
    async with a_demo() as demo:
        await demo.until(is_message)
        os.kill(demo.pid_of("cortex_session"), signal.SIGKILL)
        assert await demo.end() == 1
        assert any("demo failed: session ended with code -9" in line for line in demo.lines), demo.lines
        assert demo.left() == []


def descendants(pid: int) -> dict[int, str]:
    """The processes below a process, each with the time of its start: a pid alone may be given to another one."""
    parents = {int(entry.name): parent for entry in Path("/proc").glob("[0-9]*") if (parent := parent_of(entry))}
    below, found = {pid}, set[int]()
    while below := {child for child, parent in parents.items() if parent in below}:
        found |= below
    return {child: started for child in found if (started := started_at(child))}


def parent_of(process: Path) -> int | None:
    fields = stat_of(process)
    return int(fields[1]) if fields else None


def started_at(pid: int) -> str | None:
    fields = stat_of(Path("/proc") / str(pid))
    return fields[19] if fields and fields[0] != "Z" else None


def stat_of(process: Path) -> list[str]:
    """What proc(5) says from the third field on, the state; empty when the process is gone."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def command_line(pid: int) -> str:
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except OSError:
        return ""
