"""The words of tiny models, in the files that loaders read them from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

BLANK: Final = "<blk>"
PIECES: Final = ("▁a", "▁b", "c", "d", BLANK)
"""Pieces of words with the blank at the end, as NeMo and GigaAM have it."""


def write_vocabulary(path: Path, tokens: Sequence[str] = PIECES) -> None:
    """A token and its number on each line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{token} {index}\n" for index, token in enumerate(tokens)))
