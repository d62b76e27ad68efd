import uuid

import pytest
from cortex.identity.v1.identity_service_pb2 import (
    CreateParticipantRequest,
    GetParticipantRequest,
    ListParticipantsRequest,
    LookupParticipantRequest,
)
from cortex.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from cortex.identity.v1.resources_pb2 import Participant
from cortex_testkit.refusals import Refusal, refusal_of
from grpc import StatusCode

pytestmark = pytest.mark.integration


async def people(identity: IdentityServiceStub, project: str, count: int) -> tuple[list[Participant], int]:
    answers = [
        await identity.CreateParticipant(CreateParticipantRequest(project_id=project, external_user_id=f"u-{number}"))
        for number in range(count)
    ]
    return [answer.participant for answer in answers], answers[-1].position


async def test_pages_are_in_the_order_of_creation(identity: IdentityServiceStub, project: str) -> None:
    """Following the tokens meets everybody once, the oldest first, and the last page says that it is the last."""
    everybody, position = await people(identity, project, 5)
    found: list[Participant] = []
    request = ListParticipantsRequest(project_id=project, page_size=2, min_position=position)
    sizes = []
    while True:
        page = await identity.ListParticipants(request)
        sizes.append(len(page.participants))
        found += page.participants
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert found == everybody
    assert sizes == [2, 2, 1]


async def test_a_list_can_be_filtered_by_external_user_id(identity: IdentityServiceStub, project: str) -> None:
    """Those who are not known are left out."""
    everybody, position = await people(identity, project, 3)
    request = ListParticipantsRequest(
        project_id=project, external_user_ids=["u-2", "nobody", "u-0"], min_position=position
    )
    page = await identity.ListParticipants(request)
    assert list(page.participants) == [everybody[0], everybody[2]]


async def test_another_projects_participants_do_not_exist(identity: IdentityServiceStub, project: str) -> None:
    """A foreign id and a missing one are told apart by nobody."""
    (ada,), position = await people(identity, project, 1)
    elsewhere = str(uuid.uuid4())
    get = GetParticipantRequest(project_id=elsewhere, participant_id=ada.id)
    missing = GetParticipantRequest(project_id=project, participant_id=str(uuid.uuid4()))
    assert await refusal_of(identity.GetParticipant(get)) == await refusal_of(identity.GetParticipant(missing))
    assert await refusal_of(identity.GetParticipant(get)) == Refusal(
        StatusCode.NOT_FOUND, "PARTICIPANT_NOT_FOUND", ("participant_id",)
    )
    lookup = LookupParticipantRequest(project_id=elsewhere, external_user_id="u-0")
    assert await refusal_of(identity.LookupParticipant(lookup)) == Refusal(
        StatusCode.NOT_FOUND, "PARTICIPANT_NOT_FOUND", ("external_user_id",)
    )
    page = await identity.ListParticipants(ListParticipantsRequest(project_id=elsewhere, min_position=position))
    assert list(page.participants) == []


async def test_a_token_of_another_query_is_refused(identity: IdentityServiceStub, project: str) -> None:
    """A token goes with the filters that it was given for."""
    _, position = await people(identity, project, 2)
    first = await identity.ListParticipants(
        ListParticipantsRequest(project_id=project, page_size=1, min_position=position)
    )
    other = ListParticipantsRequest(project_id=project, page_token=first.next_page_token, external_user_ids=["u-1"])
    assert await refusal_of(identity.ListParticipants(other)) == Refusal(
        StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_MISMATCH", ("page_token",)
    )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"project_id": "me"}, "project_id"),
        ({"page_size": -1}, "page_size"),
        ({"page_token": "!"}, "page_token"),
        ({"page_token": "x" * 1025}, "page_token"),
        ({"external_user_ids": [""]}, "external_user_ids[0]"),
        ({"external_user_ids": ["x"] * 101}, "external_user_ids"),
        ({"min_position": -1}, "min_position"),
    ],
)
async def test_bad_lists_name_their_field(
    identity: IdentityServiceStub, project: str, fields: dict[str, object], field: str
) -> None:
    """A clear status that names the field."""
    request = ListParticipantsRequest(**{"project_id": project, **fields})  # type: ignore[arg-type]
    refusal = await refusal_of(identity.ListParticipants(request))
    assert (refusal.code, refusal.fields) == (StatusCode.INVALID_ARGUMENT, (field,))


@pytest.mark.parametrize("participant_id", ["", "me", "0190A5B2-7E64-7C1F-8F6C-6D1B5F0E9C11"])
async def test_a_bad_id_is_named(identity: IdentityServiceStub, project: str, participant_id: str) -> None:
    """What can be no id is no missing participant."""
    refusal = await refusal_of(
        identity.GetParticipant(GetParticipantRequest(project_id=project, participant_id=participant_id))
    )
    assert (refusal.code, refusal.fields) == (StatusCode.INVALID_ARGUMENT, ("participant_id",))


@pytest.mark.parametrize("external_user_id", ["", "x" * 257, "a\0b"])
async def test_a_bad_external_id_is_named(identity: IdentityServiceStub, project: str, external_user_id: str) -> None:
    """What can be no external id is no missing participant."""
    refusal = await refusal_of(
        identity.LookupParticipant(LookupParticipantRequest(project_id=project, external_user_id=external_user_id))
    )
    assert (refusal.code, refusal.fields) == (StatusCode.INVALID_ARGUMENT, ("external_user_id",))


async def test_a_position_that_never_comes_is_waited_for_until_the_deadline(
    identity: IdentityServiceStub, project: str
) -> None:
    """An answer that is too old is never given."""
    request = ListParticipantsRequest(project_id=project, min_position=2**62)
    refusal = await refusal_of(identity.ListParticipants(request, timeout=0.3))
    assert refusal.code in (StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED)
