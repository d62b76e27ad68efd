import asyncio
import uuid

import pytest
from cortex.identity.v1.identity_service_pb2 import (
    CreateParticipantRequest,
    CreateParticipantResponse,
    GetParticipantRequest,
    LookupParticipantRequest,
    UpdateParticipantRequest,
)
from cortex.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from cortex_testkit.refusals import Refusal, refusal_of
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.struct_pb2 import Struct
from grpc import StatusCode

pytestmark = pytest.mark.integration


async def create(identity: IdentityServiceStub, project: str, **fields: object) -> CreateParticipantResponse:
    request = CreateParticipantRequest(project_id=project, **{"external_user_id": "u-1", **fields})  # type: ignore[arg-type]
    return await identity.CreateParticipant(request)


def data(**values: object) -> Struct:
    struct = Struct()
    struct.update(values)
    return struct


async def test_somebody_new_is_created(identity: IdentityServiceStub, project: str) -> None:
    """The answer holds everything that was said, an id, times and an etag, and is what Get and Lookup say."""
    answer = await create(
        identity, project, display_name="Ada", email="ada@example.org", user_data=data(team="red", level=3)
    )
    ada = answer.participant
    assert answer.created
    assert answer.position > 0
    assert (ada.project_id, ada.external_user_id, ada.display_name) == (project, "u-1", "Ada")
    assert (ada.email, ada.user_data["team"], ada.user_data["level"]) == ("ada@example.org", "red", 3)
    assert ada.create_time == ada.update_time
    assert ada.etag == '"v1"'
    assert await identity.GetParticipant(GetParticipantRequest(project_id=project, participant_id=ada.id)) == ada
    by_user = LookupParticipantRequest(project_id=project, external_user_id="u-1", min_position=answer.position)
    assert await identity.LookupParticipant(by_user) == ada


async def test_somebody_known_is_found_unchanged(identity: IdentityServiceStub, project: str) -> None:
    """A second creation changes nothing, whatever it says."""
    first = await create(identity, project, display_name="Ada")
    second = await create(identity, project, display_name="Somebody else", request_id=str(uuid.uuid4()))
    assert not second.created
    assert second.participant == first.participant
    assert second.position >= first.position


async def test_ten_callers_at_once_get_one(identity: IdentityServiceStub, project: str) -> None:
    """One of them creates, and all get the same participant."""
    answers = await asyncio.gather(
        *(create(identity, project, display_name=f"caller {number}") for number in range(10))
    )
    assert sum(answer.created for answer in answers) == 1
    assert len({answer.participant.SerializeToString(deterministic=True) for answer in answers}) == 1


async def test_the_same_user_in_two_projects_is_two_participants(identity: IdentityServiceStub, project: str) -> None:
    """Nothing crosses projects."""
    here, there = await create(identity, project), await create(identity, str(uuid.uuid4()))
    assert here.created
    assert there.created
    assert here.participant.id != there.participant.id


async def test_the_same_request_twice_is_done_once(identity: IdentityServiceStub, project: str) -> None:
    """A reply that was lost is asked for again, and says the same: it was this request that created."""
    request_id = str(uuid.uuid4())
    first = await create(identity, project, request_id=request_id)
    again = await create(identity, project, request_id=request_id)
    assert again == first


async def test_a_repeat_answers_with_the_participant_as_it_is_now(identity: IdentityServiceStub, project: str) -> None:
    """No answer is kept: what changed meanwhile shows."""
    request_id = str(uuid.uuid4())
    first = await create(identity, project, request_id=request_id)
    await identity.UpdateParticipant(
        UpdateParticipantRequest(
            project_id=project,
            participant_id=first.participant.id,
            display_name="Ada",
            update_mask=FieldMask(paths=["display_name"]),
        )
    )
    again = await create(identity, project, request_id=request_id)
    assert (again.participant.display_name, again.created, again.position) == ("Ada", True, first.position)


@pytest.mark.parametrize("known_before", [False, True])
async def test_the_same_request_with_another_body_is_an_error(
    identity: IdentityServiceStub, project: str, *, known_before: bool
) -> None:
    """Also when the first one only found somebody."""
    if known_before:
        await create(identity, project)
    request_id = str(uuid.uuid4())
    await create(identity, project, request_id=request_id)
    refusal = await refusal_of(create(identity, project, request_id=request_id, external_user_id="u-2"))
    assert refusal == Refusal(StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED", ("request_id",))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"project_id": ""}, "project_id"),
        ({"project_id": "me"}, "project_id"),
        ({"project_id": str(uuid.uuid4()).upper()}, "project_id"),
        ({"request_id": "1"}, "request_id"),
        ({"external_user_id": ""}, "external_user_id"),
        ({"external_user_id": "x" * 257}, "external_user_id"),
        ({"external_user_id": "a\0b"}, "external_user_id"),
        ({"display_name": "x" * 257}, "display_name"),
        ({"email": "nowhere"}, "email"),
        ({"user_data": data(blob="x" * 17_000)}, "user_data"),
        ({"user_data": data(number=float("nan"))}, "user_data"),
    ],
)
async def test_bad_input_names_its_field(
    identity: IdentityServiceStub, project: str, fields: dict[str, object], field: str
) -> None:
    """A clear status that names the field, and nobody is created."""
    request = {"project_id": project, "external_user_id": "u-1", **fields}
    refusal = await refusal_of(identity.CreateParticipant(CreateParticipantRequest(**request)))  # type: ignore[arg-type]
    assert (refusal.code, refusal.fields) == (StatusCode.INVALID_ARGUMENT, (field,))
    assert (await create(identity, project)).created
