"""Failpoints of the test's own process: stop code at a named place, look around, and let it go on."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cortex_eventing.failpoints import Action, armed

# A place that is not reached by then is not reached: the test fails and does not hang.
REACHED_WITHIN = 30.0


class Gate:
    """Holds whoever passes until it is opened; works for the event loop and for threads."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._open = threading.Event()

    @property
    def action(self) -> Action:
        """What to arm a failpoint with: on the loop one task is held, and the rest goes on."""
        return Action(in_thread=self._hold, on_loop=lambda: asyncio.to_thread(self._hold))

    def _hold(self) -> None:
        self._reached.set()
        self._open.wait()

    def open(self) -> None:
        """Let go whoever waits, and whoever comes."""
        self._open.set()

    async def reached(self) -> None:
        """Wait until somebody is held.

        Raises:
            TimeoutError: nobody came.
        """
        if not await asyncio.to_thread(self._reached.wait, REACHED_WITHIN):
            raise TimeoutError("nobody reached the failpoint")


@contextmanager
def held_at(name: str, only_pass: int | None = None) -> Iterator[Gate]:
    """Hold whoever passes the failpoint `name`; at the end of the context everybody goes on."""
    gate = Gate()
    with armed(name, gate.action, only_pass):
        try:
            yield gate
        finally:
            gate.open()
