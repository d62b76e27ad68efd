"""UUIDs as rows hold them, from the text that events hold them in."""

import uuid
from functools import lru_cache

REMEMBERED = 16_384
"""Texts whose UUID is kept ready: the projects, sessions and participants of the moment."""


@lru_cache(REMEMBERED)
def uuid_of(text: str) -> uuid.UUID:
    """The UUID that a text writes.

    A read model needs two or three for each event, mostly those of the event before, and reading one costs as much as
    parsing the whole event.

    Raises:
        ValueError: it writes none.
    """
    return uuid.UUID(text)
