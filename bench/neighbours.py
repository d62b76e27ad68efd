"""The services around the transcriber, as the bench plays them: every session takes audio, everybody is somebody."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from cortex.common.v1.claim_pb2 import CLAIM_UNVERIFIED
from cortex.common.v1.feed_pb2 import ReadEventsRequest, ReadEventsResponse
from cortex.identity.v1.identity_service_pb2 import ResolvePeerRequest, ResolvePeerResponse
from cortex.identity.v1.resources_pb2 import Participant
from cortex.session.v1.resources_pb2 import SESSION_STATUS_ACTIVE, Session
from cortex.session.v1.session_service_pb2 import GetSessionRequest
from cortex_eventing.times import stamp
from cortex_runtime.adapters.grpc_server import grpc_server
from cortex_runtime.readiness import Readiness
from cortex_runtime.settings import GrpcSettings
from cortex_testkit.fake_services import IDENTITY, SESSION, fake

ZERO = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


async def _get_session(request: GetSessionRequest, _context: object) -> Session:
    return Session(
        id=request.session_id, project_id=request.project_id, status=SESSION_STATUS_ACTIVE, create_time=stamp(ZERO)
    )


async def _read_events(_request: ReadEventsRequest, _context: object) -> ReadEventsResponse:
    return ReadEventsResponse(at_head=True)


async def _resolve_peer(request: ResolvePeerRequest, _context: object) -> ResolvePeerResponse:
    person = uuid.uuid5(uuid.UUID(request.project_id), request.peer_id)
    return ResolvePeerResponse(participant=Participant(id=str(person)), claim=CLAIM_UNVERIFIED)


@asynccontextmanager
async def neighbours() -> AsyncIterator[str]:
    """Session and identity; the address of both."""
    session = fake(SESSION, GetSession=_get_session, ReadEvents=_read_events)
    identity = fake(IDENTITY, ResolvePeer=_resolve_peer)
    async with grpc_server(GrpcSettings(grace=0), session, identity, readiness=Readiness()) as listening:
        yield listening.address
