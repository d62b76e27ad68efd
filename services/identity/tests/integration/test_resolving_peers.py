import asyncio
import uuid

import pytest
from cortex.common.v1.claim_pb2 import CLAIM_UNVERIFIED
from cortex.identity.v1.identity_service_pb2 import (
    CreateParticipantRequest,
    ResolvePeerRequest,
    ResolvePeerResponse,
)
from cortex.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from cortex_testkit.refusals import Refusal, refusal_of
from grpc import StatusCode

pytestmark = pytest.mark.integration


@pytest.fixture
def session() -> str:
    """A session's id."""
    return str(uuid.uuid4())


async def resolve(
    identity: IdentityServiceStub, project: str, session: str, peer_id: str, user_id: str = "", **fields: str
) -> ResolvePeerResponse:
    return await identity.ResolvePeer(
        ResolvePeerRequest(project_id=project, session_id=session, peer_id=peer_id, user_id=user_id, **fields)
    )


async def test_a_known_user_is_that_participant(identity: IdentityServiceStub, project: str, session: str) -> None:
    """The peer names the user, and gets the participant with what is known of it; nobody proved it."""
    known = await identity.CreateParticipant(
        CreateParticipantRequest(project_id=project, external_user_id="u-1", display_name="Ada")
    )
    resolved = await resolve(identity, project, session, "phone", "u-1")
    assert resolved.participant == known.participant
    assert (resolved.claim, resolved.created) == (CLAIM_UNVERIFIED, False)


async def test_a_stranger_becomes_a_participant(identity: IdentityServiceStub, project: str, session: str) -> None:
    """On first sight, under the external id that the client named."""
    resolved = await resolve(identity, project, session, "phone", "u-9")
    assert resolved.created
    assert (resolved.participant.external_user_id, resolved.claim) == ("u-9", CLAIM_UNVERIFIED)


async def test_two_devices_are_one_participant(identity: IdentityServiceStub, project: str, session: str) -> None:
    """Also when both are new and come at once."""
    phone, laptop = await asyncio.gather(
        resolve(identity, project, session, "phone", "u-1"), resolve(identity, project, session, "laptop", "u-1")
    )
    assert phone.participant == laptop.participant
    assert phone.created != laptop.created


async def test_a_peer_without_a_user_is_somebody_of_its_own(
    identity: IdentityServiceStub, project: str, session: str
) -> None:
    """The same again for the same peer of the session, never for another peer or session."""
    first = await resolve(identity, project, session, "phone")
    again = await resolve(identity, project, session, "phone")
    other_peer = await resolve(identity, project, session, "laptop")
    other_session = await resolve(identity, project, str(uuid.uuid4()), "phone")
    assert first.created
    assert first.participant.external_user_id == ""
    assert (again.participant, again.created) == (first.participant, False)
    assert len({first.participant.id, other_peer.participant.id, other_session.participant.id}) == 3


async def test_the_same_request_twice_is_done_once(identity: IdentityServiceStub, project: str, session: str) -> None:
    """A reply that was lost is asked for again, and says the same; another body is an error."""
    request_id = str(uuid.uuid4())
    first = await resolve(identity, project, session, "phone", "u-1", request_id=request_id)
    assert await resolve(identity, project, session, "phone", "u-1", request_id=request_id) == first
    refusal = await refusal_of(resolve(identity, project, session, "phone", "u-2", request_id=request_id))
    assert refusal == Refusal(StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED", ("request_id",))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"project_id": "me"}, "project_id"),
        ({"request_id": "1"}, "request_id"),
        ({"session_id": ""}, "session_id"),
        ({"peer_id": ""}, "peer_id"),
        ({"peer_id": "x" * 257}, "peer_id"),
        ({"peer_id": "a\0b"}, "peer_id"),
        ({"user_id": "x" * 257}, "user_id"),
        ({"user_id": "a\0b"}, "user_id"),
    ],
)
async def test_bad_input_names_its_field(
    identity: IdentityServiceStub, project: str, session: str, fields: dict[str, str], field: str
) -> None:
    """A clear status that names the field."""
    request = {"project_id": project, "session_id": session, "peer_id": "phone", "user_id": "u-1", **fields}
    refusal = await refusal_of(identity.ResolvePeer(ResolvePeerRequest(**request)))
    assert (refusal.code, refusal.fields) == (StatusCode.INVALID_ARGUMENT, (field,))
