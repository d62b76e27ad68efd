"""`ReadEvents` of any service: its store, page by page, for whoever is behind the stream."""

from cortex.common.v1.feed_pb2 import ReadEventsRequest, ReadEventsResponse, RecordedEvent
from cortex_eventing.ports import EventFeed, Page
from cortex_eventing.recorded import RecordedBytes

from cortex_runtime.caller import caller_of

DEFAULT_PAGE_SIZE = 500  # what the contract promises for 0: a page that is read and sent in some milliseconds
LARGEST_PAGE_SIZE = 1000  # what the contract promises for more: bounds the memory of one answer
LARGEST_PAGE = 3 * 1024 * 1024  # bytes: clients refuse messages above 4 MiB unless told otherwise


class FeedServicer:
    """Answers `ReadEvents` from a feed. A servicer calls it from its own method, or inherits it."""

    def __init__(self, feed: EventFeed) -> None:
        self._feed = feed

    async def ReadEvents(self, request: ReadEventsRequest, context: object) -> ReadEventsResponse:  # noqa: N802
        """A page of the caller's project; of the whole store for our own services."""
        limit = min(request.page_size or DEFAULT_PAGE_SIZE, LARGEST_PAGE_SIZE)
        page = await self._feed.read(request.after_position, limit, caller_of(context).project_id or None)
        response = _response(page)
        response.head_position = await self._feed.head()
        return response


def _response(page: Page) -> ReadEventsResponse:
    """The page, or as much of it as fits into one answer; at least one event, so that every reader gets on."""
    response = ReadEventsResponse(read_up_to=page.read_up_to, at_head=page.at_head)
    size = 0
    for raw in page.events:
        event = _event(raw)
        size += event.ByteSize()
        if size > LARGEST_PAGE and response.events:
            response.read_up_to = response.events[-1].position
            response.at_head = False
            break
        response.events.append(event)
    return response


def _event(raw: RecordedBytes) -> RecordedEvent:
    event = RecordedEvent(
        id=str(raw.event_id),
        position=raw.position,
        previous_position=raw.previous_position,
        topic=raw.topic,
        project_id=raw.origin.project_id,
        aggregate_id=str(raw.aggregate_id),
        version=raw.version,
        actor=raw.origin.actor,
        correlation_id=raw.origin.correlation_id,
        causation_id=raw.origin.causation_id,
        traceparent=raw.origin.traceparent,
        data=raw.data,
        data_owner=raw.data_owner,
    )
    event.recorded_at.FromDatetime(raw.recorded_at)
    return event
