"""Where a page starts, for lists whose order is that of storing."""

from cortex_runtime.paging import PageRequest


def position_after(page: PageRequest, otherwise: int) -> int:
    """The position that the page comes after; `otherwise` on the first page."""
    match page.after:
        case (int(position),):
            return position
    return otherwise
