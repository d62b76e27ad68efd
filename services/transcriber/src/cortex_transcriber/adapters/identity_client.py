"""The identity service, asked once when a peer joins."""

import uuid
from typing import Final

import grpc
from cortex.identity.v1.identity_service_pb2 import ResolvePeerRequest
from cortex.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from cortex_runtime.adapters.remote_errors import error_of

from cortex_transcriber.domain.commands import Person, SpeakerKey

ANSWER_WITHIN: Final = 5.0
"""Seconds. It takes milliseconds; after this it is asked again, while the bot holds the peer's audio."""


class GrpcIdentities:
    """The port `Identities` on the identity service."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = IdentityServiceStub(channel)

    async def resolve(self, project_id: str, speaker: SpeakerKey, user_id: str) -> Person:
        """Who a peer is; a stranger becomes a participant.

        Raises:
            Rejected: this peer may not be heard, or its ids cannot be.
            Unavailable: the identity service is away.
        """
        request = ResolvePeerRequest(
            project_id=project_id,
            # Asked again, by another replica too, it is the same question.
            request_id=str(uuid.uuid5(speaker.aggregate_id, user_id)),
            session_id=speaker.session_id,
            peer_id=speaker.peer_id,
            user_id=user_id,
        )
        try:
            answer = await self._stub.ResolvePeer(request, timeout=ANSWER_WITHIN)
        except grpc.aio.AioRpcError as error:
            raise error_of(error, "the identity service") from error
        found = answer.participant
        return Person(found.id, found.external_user_id, found.display_name, answer.claim)
