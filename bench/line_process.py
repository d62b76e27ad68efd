"""A program of this folder as a process of its own: one line in says what to do, one line out is the answer."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from harness import check

LONGEST_LINE = 64 * 1024**2
"""Bytes: the callers tell of every command."""


class LineProcess:
    """A program that is waiting for its next line."""

    def __init__(self, name: str, process: Process) -> None:
        self._name = name
        self._process = process

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    async def ask(self, *words: float) -> str:
        """What it answers to a line."""
        if self._process.stdin is None:
            raise RuntimeError("started without pipes")
        self._process.stdin.write(f"{' '.join(str(word) for word in words)}\n".encode())
        await self._process.stdin.drain()
        return await self.line()

    async def line(self) -> str:
        """The next line that it says."""
        if self._process.stdout is None:
            raise RuntimeError("started without pipes")
        answer = await self._process.stdout.readline()
        check(bool(answer), f"{self._name} ended; what it said stands above")
        return answer.decode()

    async def figure(self, *words: float) -> float:
        """The same where the answer is a number."""
        return float(await self.ask(*words))


@asynccontextmanager
async def line_process(
    name: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> AsyncIterator[LineProcess]:
    """Start `NAME.py`. Its input ends when we do, and then so does it."""
    command = [sys.executable, str(Path(__file__).parent / f"{name}.py"), *arguments]
    variables = {"PATH": os.environ["PATH"], **(environment or {})}
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, env=variables, limit=LONGEST_LINE)
    try:
        yield LineProcess(name, process)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
