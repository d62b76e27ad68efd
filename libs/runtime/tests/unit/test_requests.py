"""What command handling is told of a request: its key, its origin, and which version it expects."""

import uuid

import pytest
from cortex.identity.v1.identity_service_pb2 import CreateParticipantRequest
from cortex_eventing.errors import Outdated
from cortex_runtime.caller import Call, Caller, caller_of
from cortex_runtime.etags import etag_of, require_current, version_of
from cortex_runtime.requests import origin_of, request_key

pytestmark = pytest.mark.unit

PROJECT = "01980a8f-0000-7000-8000-000000000001"
ID = "01980a8f-0000-7000-8000-00000000000a"


def create(name: str = "Ada", request_id: str = ID) -> CreateParticipantRequest:
    request = CreateParticipantRequest(project_id=PROJECT, request_id=request_id, display_name=name)
    request.user_data.update({"b": 1, "a": 2})
    return request


def test_a_repeat_has_the_same_key() -> None:
    """The order in which free-form data was filled in makes no difference."""
    other = CreateParticipantRequest(project_id=PROJECT, request_id=ID, display_name="Ada")
    other.user_data.update({"a": 2})
    other.user_data.update({"b": 1})
    assert request_key("CreateParticipant", create()) == request_key("CreateParticipant", other)


def test_another_body_has_another_hash() -> None:
    """The id stays the same, so that the mistake is noticed."""
    first, second = request_key("CreateParticipant", create()), request_key("CreateParticipant", create("Bob"))
    assert first is not None
    assert second is not None
    assert first.request_id == second.request_id == uuid.UUID(ID)
    assert first.body_hash != second.body_hash


def test_the_body_does_not_hold_the_id() -> None:
    """The hash is the body's alone, and the request is left as it was."""
    request = create()
    first = request_key("CreateParticipant", request)
    second = request_key("CreateParticipant", create(request_id=PROJECT))
    assert first is not None
    assert second is not None
    assert first.body_hash == second.body_hash
    assert request.request_id == ID


def test_without_an_id_there_is_no_key() -> None:
    """Such a request cannot be recognised again."""
    assert request_key("CreateParticipant", create(request_id="")) is None


def test_only_the_door_makes_contexts() -> None:
    """A handler that is called around the interceptor gets no caller at all."""
    with pytest.raises(TypeError, match="interceptor"):
        caller_of(object())


def test_an_origin_holds_what_the_call_is_known_by() -> None:
    """Project, actor, trace, and the request as cause; what belongs together is the caller's to say."""

    class Context:
        call = Call("M", "cortex.x", Caller(PROJECT, "key-1"), request_id=ID, correlation_id=PROJECT, traceparent="t")

    origin = origin_of(Context())
    assert (origin.project_id, origin.actor, origin.correlation_id) == (PROJECT, "key-1", PROJECT)
    assert (origin.causation_id, origin.traceparent) == (ID, "t")


def test_etags_are_versions() -> None:
    """An etag stands for one version; none permits any."""
    assert version_of(etag_of(17)) == 17
    assert version_of("") is None
    require_current(etag_of(3), 3)
    require_current("", 3)


@pytest.mark.parametrize("etag", ['"v2"', "v3", '"3"', '"v03"', '"v3" ', "*", '"v99999999999999999999"'])
def test_any_other_etag_is_outdated(etag: str) -> None:
    """What is not exactly the current one is not the current one."""
    with pytest.raises(Outdated):
        require_current(etag, 3)
