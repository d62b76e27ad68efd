"""The feed of another service: its `ReadEvents`, as the port that projections and reactions read."""

import uuid
from datetime import UTC
from typing import Protocol

import grpc
from cortex.common.v1.feed_pb2 import ReadEventsRequest, ReadEventsResponse, RecordedEvent
from cortex_eventing.ports import Page
from cortex_eventing.recorded import Origin, RecordedBytes

from cortex_runtime.adapters.remote_errors import error_of

PAGE_WITHIN = 10.0  # seconds for one page; a service that needs longer is as good as away
_BEYOND_ANY = 2**63 - 1  # a position after which nothing is


class ReadsEvents(Protocol):
    """What is needed of another service's stub."""

    @property
    def ReadEvents(self) -> "grpc.aio.UnaryUnaryMultiCallable[ReadEventsRequest, ReadEventsResponse]":  # noqa: N802
        """The RPC."""
        ...


class GrpcFeed:
    """Another service's events, by position. Every method raises Unavailable while that service is away."""

    def __init__(self, stub: ReadsEvents, service: str) -> None:
        """Read from `stub`; `service` is what errors call it."""
        self._stub = stub
        self._service = service

    async def read(self, after: int, limit: int, project_id: str | None = None) -> Page:
        """The events after a position, at most `limit`; fewer where a page would grow too large."""
        answer = await self._ask(ReadEventsRequest(project_id=project_id or "", after_position=after, page_size=limit))
        return Page([_recorded(event) for event in answer.events], answer.read_up_to, answer.at_head)

    async def head(self) -> int:
        """The highest position that the other service stored, 0 when none."""
        answer = await self._ask(ReadEventsRequest(after_position=_BEYOND_ANY, page_size=1))
        return answer.head_position

    async def _ask(self, request: ReadEventsRequest) -> ReadEventsResponse:
        try:
            return await self._stub.ReadEvents(request, timeout=PAGE_WITHIN)
        except grpc.aio.AioRpcError as error:
            raise error_of(error, self._service) from error


def _recorded(event: RecordedEvent) -> RecordedBytes:
    origin = Origin(
        project_id=event.project_id,
        actor=event.actor,
        correlation_id=event.correlation_id,
        causation_id=event.causation_id,
        traceparent=event.traceparent,
    )
    return RecordedBytes(
        event_id=uuid.UUID(event.id),
        position=event.position,
        previous_position=event.previous_position,
        topic=event.topic,
        aggregate_id=uuid.UUID(event.aggregate_id),
        version=event.version,
        recorded_at=event.recorded_at.ToDatetime(tzinfo=UTC),
        origin=origin,
        data=event.data,
        data_owner=event.data_owner,
    )
