"""The session service, asked when a stream opens."""

from collections.abc import Awaitable, Callable
from typing import Final

import grpc
from cortex.session.v1.resources_pb2 import SESSION_STATUS_ACTIVE
from cortex.session.v1.session_service_pb2 import GetSessionRequest
from cortex.session.v1.session_service_pb2_grpc import SessionServiceStub
from cortex_eventing.errors import NotFound, WrongState
from cortex_eventing.times import time_of
from cortex_runtime.adapters.remote_errors import error_of

from cortex_transcriber.stream.ports import ActiveSession

ANSWER_WITHIN: Final = 5.0
"""Seconds. It takes milliseconds; a bot that waits longer had better try another replica."""

FIELD: Final = "open.session_id"


class SessionNotActive(WrongState):
    """The session has ended: it takes no audio any more."""

    reason = "SESSION_NOT_ACTIVE"

    def __init__(self) -> None:
        super().__init__("the session has ended", field=FIELD)


class GrpcSessions:
    """The port `Sessions` on the session service.

    Args:
        channel: to it.
        following: returns once nobody would miss the end of a session; raises Unavailable if that takes too long.
    """

    def __init__(self, channel: grpc.aio.Channel, following: Callable[[], Awaitable[None]]) -> None:
        self._stub = SessionServiceStub(channel)
        self._following = following

    async def active(self, project_id: str, session_id: str) -> ActiveSession:
        """The session, if it takes audio.

        Raises:
            NotFound: missing, or another project's.
            SessionNotActive: it has ended.
            Unavailable: the session service is away.
        """
        await self._following()
        request = GetSessionRequest(project_id=project_id, session_id=session_id)
        try:
            session = await self._stub.GetSession(request, timeout=ANSWER_WITHIN)
        except grpc.aio.AioRpcError as error:
            refused = error_of(error, "the session service")
            raise NotFound("session", field=FIELD) if isinstance(refused, NotFound) else refused from error
        if session.status != SESSION_STATUS_ACTIVE:
            raise SessionNotActive
        return ActiveSession(project_id, session_id, time_of(session.create_time), session.language)
