"""Pages that fit into one answer: clients refuse messages above 4 MiB unless told otherwise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from google.protobuf.message import Message

LARGEST_PAGE = 3 * 1024 * 1024  # bytes: leaves room for everything around the items

Row = TypeVar("Row")
Item = TypeVar("Item", bound=Message)


@dataclass(frozen=True)
class FittedPage(Generic[Row, Item]):
    """As many items as fit, and the row of the last one when there are more.

    Attributes:
        last_row: where the next page starts; None on the last page.
    """

    items: Sequence[Item]
    last_row: Row | None


def fitted(rows: Sequence[Row], size: int, item_of: Callable[[Row], Item]) -> FittedPage[Row, Item]:
    """At most `size` items, at least one when there is any, together not larger than one answer may be.

    Args:
        rows: what was found when one row more than `size` was asked for.
        size: the most items.
        item_of: what a row is answered as.
    """
    items: list[Item] = []
    bytes_left = LARGEST_PAGE
    for row in rows[:size]:
        item = item_of(row)
        bytes_left -= item.ByteSize()
        if items and bytes_left < 0:
            break
        items.append(item)
    return FittedPage(items, rows[len(items) - 1] if len(items) < len(rows) else None)
