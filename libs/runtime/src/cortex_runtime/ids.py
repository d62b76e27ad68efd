"""New ids that rise with time (UUID version 7, RFC 9562 section 5.7)."""

import secrets
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from cortex_eventing.clock import Clock

# Of the 128 bits, 48 are the time in milliseconds, 6 the version and variant, and these are free.
FREE_BITS = 74
# Of them, the lower part of this size lies behind the variant.
LOW_BITS = 62
# Ids of one millisecond lie this far apart at most: they rise, and the next one cannot be guessed from the last.
STEP_BITS = 32

VERSION = 0b0111
VARIANT = 0b10

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Uuid7Ids:
    """The port `cortex_eventing.clock.Ids`; rising even when the clock stands still or goes back. For one thread."""

    def __init__(self, clock: Clock, random_bits: Callable[[int], int] = secrets.randbits) -> None:
        self._clock = clock
        self._random_bits = random_bits
        self._last = 0

    def new(self) -> uuid.UUID:
        """An id that nobody had before."""
        milliseconds = (self._clock.now() - _EPOCH) // timedelta(milliseconds=1)
        if milliseconds > self._last >> FREE_BITS:
            self._last = milliseconds << FREE_BITS | self._random_bits(FREE_BITS)
        else:
            self._last += 1 + self._random_bits(STEP_BITS)
        return _uuid7(self._last)


def _uuid7(number: int) -> uuid.UUID:
    """Spread time and free bits around version and variant."""
    low = number & ((1 << LOW_BITS) - 1)
    middle = number >> LOW_BITS & ((1 << FREE_BITS - LOW_BITS) - 1)
    time = number >> FREE_BITS
    return uuid.UUID(int=time << 80 | VERSION << 76 | middle << 64 | VARIANT << LOW_BITS | low)
