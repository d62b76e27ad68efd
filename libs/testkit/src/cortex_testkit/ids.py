"""Ids that a test knows beforehand."""

import itertools
import uuid


class CountedIds:
    """The port `cortex_eventing.clock.Ids`: 00000000-0000-7000-8000-000000000001, then ...002, and so on."""

    def __init__(self, first: int = 1) -> None:
        self._numbers = itertools.count(first)

    def new(self) -> uuid.UUID:
        """The next one."""
        return counted_id(next(self._numbers))


def counted_id(number: int) -> uuid.UUID:
    """The id that CountedIds gives out as its `number`th; a well-formed UUID version 7."""
    return uuid.UUID(f"00000000-0000-7000-8000-{number:012x}")
