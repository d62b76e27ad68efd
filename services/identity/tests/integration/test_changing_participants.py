import asyncio
import uuid

import pytest
from cortex.identity.v1.identity_service_pb2 import (
    CreateParticipantRequest,
    GetParticipantRequest,
    ListParticipantsRequest,
    UpdateParticipantRequest,
    UpdateParticipantResponse,
)
from cortex.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from cortex.identity.v1.resources_pb2 import Participant
from cortex_testkit.refusals import Refusal, refusal_of
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.struct_pb2 import Struct
from grpc import StatusCode

pytestmark = pytest.mark.integration


@pytest.fixture
async def ada(identity: IdentityServiceStub, project: str) -> Participant:
    """Somebody who is known."""
    request = CreateParticipantRequest(
        project_id=project, external_user_id="u-1", display_name="Ada", email="ada@example.org"
    )
    return (await identity.CreateParticipant(request)).participant


async def update(
    identity: IdentityServiceStub, ada: Participant, *paths: str, **fields: object
) -> UpdateParticipantResponse:
    request = {"project_id": ada.project_id, "participant_id": ada.id, "update_mask": FieldMask(paths=paths)}
    return await identity.UpdateParticipant(UpdateParticipantRequest(**{**request, **fields}))  # type: ignore[arg-type]


async def test_named_fields_change(identity: IdentityServiceStub, ada: Participant) -> None:
    """The answer, Get and the list show the change; what the mask leaves out stays."""
    answer = await update(identity, ada, "display_name", display_name="Ada L.", email="other@example.org")
    changed = answer.participant
    assert (changed.display_name, changed.email) == ("Ada L.", "ada@example.org")
    assert changed.etag != ada.etag
    assert changed.update_time.ToDatetime() >= ada.update_time.ToDatetime()
    get = GetParticipantRequest(project_id=ada.project_id, participant_id=ada.id)
    assert await identity.GetParticipant(get) == changed
    page = ListParticipantsRequest(project_id=ada.project_id, min_position=answer.position)
    assert list((await identity.ListParticipants(page)).participants) == [changed]


async def test_no_change_is_no_version(identity: IdentityServiceStub, ada: Participant) -> None:
    """What is so already leaves the etag as it is."""
    assert (await update(identity, ada, "display_name", display_name="Ada")).participant == ada


async def test_of_two_with_the_same_etag_one_wins(identity: IdentityServiceStub, ada: Participant) -> None:
    """Nobody overwrites what they have not seen."""
    outcomes = await asyncio.gather(
        *(update(identity, ada, "display_name", display_name=name, etag=ada.etag) for name in ("one", "other")),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, UpdateParticipantResponse) for outcome in outcomes) == 1
    refusal = await refusal_of(update(identity, ada, "display_name", display_name="late", etag=ada.etag))
    assert refusal == Refusal(StatusCode.ABORTED, "ETAG_MISMATCH", ("etag",))


async def test_the_same_request_twice_is_done_once(identity: IdentityServiceStub, ada: Participant) -> None:
    """Also with an etag, which the first time has made an old one."""
    request = {"display_name": "Ada L.", "etag": ada.etag, "request_id": str(uuid.uuid4())}
    first = await update(identity, ada, "display_name", **request)
    assert await update(identity, ada, "display_name", **request) == first


async def test_another_projects_participant_cannot_be_changed(identity: IdentityServiceStub, ada: Participant) -> None:
    """A foreign id and a missing one are told apart by nobody, and nothing changes."""
    foreign = update(identity, ada, "display_name", display_name="Eve", project_id=str(uuid.uuid4()))
    missing = update(identity, ada, "display_name", display_name="Eve", participant_id=str(uuid.uuid4()))
    expected = Refusal(StatusCode.NOT_FOUND, "PARTICIPANT_NOT_FOUND", ("participant_id",))
    assert (await refusal_of(foreign), await refusal_of(missing)) == (expected, expected)
    get = GetParticipantRequest(project_id=ada.project_id, participant_id=ada.id)
    assert await identity.GetParticipant(get) == ada


def too_much() -> Struct:
    struct = Struct()
    struct.update({"blob": "x" * 17_000})
    return struct


@pytest.mark.parametrize(
    ("fields", "paths", "field"),
    [
        ({"project_id": "me"}, ["email"], "project_id"),
        ({"participant_id": "me"}, ["email"], "participant_id"),
        ({"request_id": "1"}, ["email"], "request_id"),
        ({"email": "nowhere"}, ["email"], "email"),
        ({"display_name": "x" * 257}, ["display_name"], "display_name"),
        ({"display_name": "a\0b"}, ["display_name"], "display_name"),
        ({"user_data": too_much()}, ["user_data"], "user_data"),
        ({}, ["external_user_id"], "update_mask"),
        ({}, ["user_data.team"], "update_mask"),
        ({}, [], "update_mask"),
        ({"update_mask": None}, [], "update_mask"),
        ({"etag": "x" * 65}, ["email"], "etag"),
    ],
)
async def test_bad_input_names_its_field(
    identity: IdentityServiceStub, ada: Participant, fields: dict[str, object], paths: list[str], field: str
) -> None:
    """A clear status that names the field, and nothing changes."""
    refusal = await refusal_of(update(identity, ada, *paths, **fields))
    assert (refusal.code, refusal.fields) == (StatusCode.INVALID_ARGUMENT, (field,))
    get = GetParticipantRequest(project_id=ada.project_id, participant_id=ada.id)
    assert await identity.GetParticipant(get) == ada


async def test_an_etag_that_is_none_of_ours_is_outdated(identity: IdentityServiceStub, ada: Participant) -> None:
    """Whatever it is, it is not the current one."""
    refusal = await refusal_of(update(identity, ada, "display_name", display_name="x", etag="nonsense"))
    assert refusal == Refusal(StatusCode.ABORTED, "ETAG_MISMATCH", ("etag",))
