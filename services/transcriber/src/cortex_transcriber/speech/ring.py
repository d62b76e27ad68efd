"""The audio of one peer that may still be needed: a bounded window that moves on."""

from typing import Final

import numpy as np

from cortex_transcriber.speech.decoding import Pcm

SMALLEST: Final = 16_384
"""Samples kept allocated while a peer is silent, 32 KiB: what is looked at together, half a second, and what is kept of
what came before fit in without another allocation."""

LARGEST: Final = 1_280_000
"""Samples at most, 2.4 MiB, 80 s: an utterance of 15 s and much that was not yet looked at. With what waits for its
words a peer stays below 4 MiB."""

SHRINK_BELOW: Final = 4
"""Memory is given back when less than a quarter of it is used."""


class BufferFull(RuntimeError):
    """More audio than may wait. The sender is to be slowed down before this happens: see `room`."""


class AudioBuffer:
    """Samples from `start` to `end`; positions count from the beginning of the stream and never move."""

    def __init__(self) -> None:
        self._store = np.empty(SMALLEST, dtype=np.int16)
        self._head = 0  # index in the store of the sample at `start`
        self.start = 0
        self.end = 0

    @property
    def room(self) -> int:
        """Samples that can still be appended."""
        return LARGEST - (self.end - self.start)

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return self._store.nbytes

    def append(self, pcm: Pcm) -> None:
        """Write at the end.

        Raises:
            BufferFull: there is no room; nothing was written.
        """
        tail = self._claim(len(pcm))
        self._store[tail : tail + len(pcm)] = pcm
        self.end += len(pcm)

    def append_silence(self, samples: int) -> None:
        """Write zeros at the end.

        Raises:
            BufferFull: there is no room; nothing was written.
        """
        tail = self._claim(samples)
        self._store[tail : tail + samples] = 0
        self.end += samples

    def view(self, start: int, end: int) -> Pcm:
        """The samples of a range that is held, without a copy: read it before the next call."""
        if not self.start <= start <= end <= self.end:
            raise IndexError(f"{start} to {end} is not within {self.start} to {self.end}")
        at = self._head + start - self.start
        return self._store[at : at + end - start]

    def drop_before(self, position: int) -> None:
        """Forget what comes before a position."""
        position = min(position, self.end)
        if position > self.start:
            self._head += position - self.start
            self.start = position
        live = self.end - self.start
        if live * SHRINK_BELOW < len(self._store) > SMALLEST:
            self._move_to(max(SMALLEST, _power_of_two(live * 2)))

    def _claim(self, samples: int) -> int:
        """Index in the store where so many samples fit."""
        if samples > self.room:
            raise BufferFull(f"{samples} samples more than {LARGEST}")
        live = self.end - self.start
        if self._head + live + samples > len(self._store):
            if live <= self._head and live + samples <= len(self._store):
                self._move_down()
            else:
                self._move_to(min(LARGEST, _power_of_two((live + samples) * 2)))
        return self._head + live

    def _move_down(self) -> None:
        """Costs no more than was forgotten since the last move."""
        live = self.end - self.start
        self._store[:live] = self._store[self._head : self._head + live]
        self._head = 0

    def _move_to(self, capacity: int) -> None:
        live = self.view(self.start, self.end)
        store = np.empty(capacity, dtype=np.int16)
        store[: len(live)] = live
        self._store, self._head = store, 0


def _power_of_two(samples: int) -> int:
    return 1 << max(0, samples - 1).bit_length()
