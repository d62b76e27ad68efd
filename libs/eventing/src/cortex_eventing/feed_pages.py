"""A feed read page by page to its head, a page ahead of whoever deals with them."""

import asyncio
from collections.abc import AsyncGenerator

from cortex_eventing.cancelling import cancel_until_ended
from cortex_eventing.ports import EventFeed, Page


async def pages_of(feed: EventFeed, after: int, size: int) -> AsyncGenerator[Page, None]:
    """The pages behind a position, up to the one that reaches the head. Close it when done.

    Args:
        feed: what to read.
        after: the position.
        size: events of a page.

    Raises:
        Unavailable: the feed is away.
    """
    coming = asyncio.create_task(_read(feed, after, size))
    try:
        while True:
            page = await coming
            if page.at_head:
                yield page
                return
            coming = asyncio.create_task(_read(feed, page.read_up_to, size))
            yield page
    finally:
        await cancel_until_ended(coming)


async def _read(feed: EventFeed, after: int, size: int) -> Page:
    return await feed.read(after, size)
