"""Token ids to text, from the `tokenizer.bin` of a Moonshine model.

The file is a list of records, one an id from 0 on: a length, then that many bytes. A length is one byte below 128,
or two bytes whose value is second x 128 + first - 128; length 0 stands for an id that is not used.
"""

from collections.abc import Iterable, Iterator
from typing import Final

START: Final = 1
END: Final = 2
FIRST_WORD_PIECE: Final = 3
"""Ids below it are special and have no text."""

SPACE: Final = "▁".encode()
LONG: Final = 0x80


class Tokenizer:
    """The vocabulary of one model."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    @classmethod
    def parse(cls, data: bytes) -> "Tokenizer":
        """Read a `tokenizer.bin`.

        Raises:
            ValueError: the file ends in the middle of a record.
        """
        return cls(list(_records(data)))

    def __len__(self) -> int:
        return len(self._pieces)

    @property
    def pieces(self) -> list[bytes]:
        """The bytes of each id."""
        return self._pieces

    def text(self, ids: Iterable[int]) -> str:
        """The text of these tokens, without space at either end."""
        pieces = b"".join(self._pieces[i] for i in ids if i >= FIRST_WORD_PIECE)
        return pieces.replace(SPACE, b" ").decode(errors="replace").strip()


def _records(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        length, at = _length(data, at)
        if at + length > len(data):
            raise ValueError("the tokenizer file ends in the middle of a token")
        yield data[at : at + length]
        at += length


def _length(data: bytes, at: int) -> tuple[int, int]:
    first = data[at]
    if first < LONG:
        return first, at + 1
    if at + 1 >= len(data):
        raise ValueError("the tokenizer file ends in the middle of a length")
    return data[at + 1] * LONG + first - LONG, at + 2
