"""The gRPC door of identity (1, 8): translate, hand over, answer. No rule lives here."""

import uuid

from cortex.common.v1.claim_pb2 import CLAIM_UNVERIFIED
from cortex.identity.v1 import resources_pb2
from cortex.identity.v1.identity_service_pb2 import (
    CreateParticipantRequest,
    CreateParticipantResponse,
    GetParticipantRequest,
    ListParticipantsRequest,
    ListParticipantsResponse,
    LookupParticipantRequest,
    ResolvePeerRequest,
    ResolvePeerResponse,
    UpdateParticipantRequest,
    UpdateParticipantResponse,
)
from cortex.identity.v1.identity_service_pb2_grpc import IdentityServiceServicer
from cortex_eventing.clock import Clock
from cortex_eventing.ports import EventFeed
from cortex_eventing.progress import Progress
from cortex_runtime.adapters.feed_servicer import FeedServicer
from cortex_runtime.asked import asked
from cortex_runtime.caller import caller_of, deadline_of
from cortex_runtime.etags import version_of
from cortex_runtime.fitting import fitted
from cortex_runtime.free_form import require_user_data
from cortex_runtime.paging import next_page_token, page_of
from cortex_runtime.places import position_after

from cortex_identity.adapters.answers import answer
from cortex_identity.adapters.postgres_participants import ParticipantList
from cortex_identity.commanding import Participants
from cortex_identity.domain.commands import AnonymousPeer, ExternalUser, Person, UpdateParticipant
from cortex_identity.domain.ids import ParticipantId, SessionId
from cortex_identity.domain.profile import Profile, free_form
from cortex_identity.read_models.participants import ParticipantRow


class IdentityServicer(FeedServicer, IdentityServiceServicer):
    """Answers the RPCs of `IdentityService`.

    Args:
        participants: who takes people in and finds them.
        listed: the read model that lists them.
        progress: how far that read model is.
        feed: this service's events.
        clock: what time it is.
    """

    def __init__(
        self,
        participants: Participants,
        listed: ParticipantList,
        progress: Progress,
        feed: EventFeed,
        clock: Clock,
    ) -> None:
        super().__init__(feed)
        self._participants = participants
        self._listed = listed
        self._progress = progress
        self._clock = clock

    async def CreateParticipant(  # noqa: N802
        self, request: CreateParticipantRequest, context: object
    ) -> CreateParticipantResponse:
        """Create, or find unchanged."""
        known = await self._participants.create_or_find(
            ExternalUser(request.external_user_id), _profile(request), asked(request, context)
        )
        return CreateParticipantResponse(
            participant=answer(known.participant, caller_of(context).project_id),
            created=known.created,
            position=known.position,
        )

    async def GetParticipant(  # noqa: N802
        self, request: GetParticipantRequest, context: object
    ) -> resources_pb2.Participant:
        """One by its id; the participant itself is asked, so the answer is newer than any `min_position`."""
        project_id = caller_of(context).project_id
        return answer(await self._participants.get(uuid.UUID(request.participant_id), project_id), project_id)

    async def LookupParticipant(  # noqa: N802
        self, request: LookupParticipantRequest, context: object
    ) -> resources_pb2.Participant:
        """One by its external user id; the claim is asked, so the answer is newer than any `min_position`."""
        project_id = caller_of(context).project_id
        person = ExternalUser(request.external_user_id)
        return answer(await self._participants.lookup(person, project_id), project_id)

    async def ListParticipants(  # noqa: N802
        self, request: ListParticipantsRequest, context: object
    ) -> ListParticipantsResponse:
        """A page, oldest first."""
        project_id = caller_of(context).project_id
        page = page_of(request, int)
        await self._progress.reached(request.min_position, deadline_of(context))
        rows = await self._listed.page(project_id, request.external_user_ids, position_after(page, 0), page.size + 1)
        shown = fitted(rows, page.size, lambda row: answer(row.participant, project_id))
        return ListParticipantsResponse(participants=shown.items, next_page_token=_token(request, shown.last_row))

    async def UpdateParticipant(  # noqa: N802
        self, request: UpdateParticipantRequest, context: object
    ) -> UpdateParticipantResponse:
        """Change the fields of the mask."""
        command = UpdateParticipant(
            ParticipantId(uuid.UUID(request.participant_id)),
            _profile(request),
            tuple(request.update_mask.paths),
            version_of(request.etag),
            self._clock.now(),
        )
        known = await self._participants.update(command, asked(request, context))
        return UpdateParticipantResponse(
            participant=answer(known.participant, caller_of(context).project_id), position=known.position
        )

    async def ResolvePeer(self, request: ResolvePeerRequest, context: object) -> ResolvePeerResponse:  # noqa: N802
        """Who a peer is. Until peers carry tokens every claim is a hint."""
        known = await self._participants.create_or_find(_person(request), Profile(), asked(request, context))
        return ResolvePeerResponse(
            participant=answer(known.participant, caller_of(context).project_id),
            claim=CLAIM_UNVERIFIED,
            created=known.created,
            position=known.position,
        )


def _profile(request: CreateParticipantRequest | UpdateParticipantRequest) -> Profile:
    require_user_data(request.user_data)
    return Profile(request.display_name, request.email, free_form(request.user_data))


def _person(request: ResolvePeerRequest) -> Person:
    if request.user_id:
        return ExternalUser(request.user_id)
    return AnonymousPeer(SessionId(uuid.UUID(request.session_id)), request.peer_id)


def _token(request: ListParticipantsRequest, last: ParticipantRow | None) -> str:
    return next_page_token(request, last.created_position) if last else ""
