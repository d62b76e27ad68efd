"""Whatever is sent to any method, the answer is an answer or a refusal that names what is wrong."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from cortex.identity.v1 import identity_service_pb2 as identity
from cortex.session.v1 import session_service_pb2 as session
from cortex_runtime.adapters.grpc_server import Listening
from cortex_runtime.etags import require_current
from cortex_runtime.free_form import require_user_data
from cortex_runtime.paging import page_of
from cortex_runtime.requests import origin_of, request_key
from cortex_testkit.fake_services import IDENTITY, SESSION, TRANSCRIBER, exchange, fake, listening, stub
from cortex_testkit.hostile import CANONICAL, messages, spoiled
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.integration

METHODS = [method for service in (IDENTITY, SESSION, TRANSCRIBER) for method in service.methods]
STREAM = "/cortex.transcriber.v1.TranscriberService/StreamAudio"
UNARY = [method for method in METHODS if not method.client_streaming]
VALID = [
    identity.CreateParticipantRequest(project_id=CANONICAL, request_id=CANONICAL, external_user_id="u"),
    identity.ListParticipantsRequest(project_id=CANONICAL, page_size=10),
    identity.UpdateParticipantRequest(project_id=CANONICAL, participant_id=CANONICAL, update_mask={"paths": ["email"]}),
    session.CreateSessionRequest(project_id=CANONICAL, external_room_id="r", gateway="https://example.org"),
    session.ListMessagesRequest(project_id=CANONICAL, session_id=CANONICAL),
]


async def tried(request: Message, context: object) -> Any:  # noqa: ANN401 - any method's answer
    """What every servicer of ours does with a request before its own work."""
    origin_of(context)
    names = request.DESCRIPTOR.fields_by_name
    if "request_id" in names:
        request_key("Tried", request)
    if "page_token" in names:
        page_of(request, int, str)
    if "etag" in names:
        require_current(request.etag, 1)  # type: ignore[attr-defined]
    if "user_data" in names:
        require_user_data(request.user_data)  # type: ignore[attr-defined]
    method = next(method for method in METHODS if method.input_type is request.DESCRIPTOR)
    return GetMessageClass(method.output_type)()


async def each_tried(requests: AsyncIterator[Message], _context: object) -> AsyncIterator[Any]:
    async for _ in requests:
        yield GetMessageClass(TRANSCRIBER.methods_by_name["StreamAudio"].output_type)()


async def watched(request: Message, context: object) -> AsyncIterator[Any]:
    yield await tried(request, context)


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[Listening]:
    """All three services behind the gate."""
    services = [
        fake(IDENTITY, **{method.name: tried for method in IDENTITY.methods}),
        fake(SESSION, **{method.name: watched if method.server_streaming else tried for method in SESSION.methods}),
        fake(TRANSCRIBER, StreamAudio=each_tried, ReadEvents=tried),
    ]
    async with listening(*services) as opened:
        yield opened


@pytest.fixture(scope="module")
async def channel(server: Listening) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to them."""
    async with grpc.aio.insecure_channel(server.address) as opened:
        yield opened


async def refusal(call: Any) -> grpc.aio.AioRpcError | None:  # noqa: ANN401 - any kind of call
    try:
        if hasattr(call, "__await__"):
            await call
        else:
            async for _ in call:
                pass
    except grpc.aio.AioRpcError as error:
        return error
    return None


def require_told(error: grpc.aio.AioRpcError | None) -> None:
    """An answer, or a refusal that names a field."""
    if error is None:
        return
    assert error.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.ABORTED)
    kinds = {packed.TypeName(): packed for packed in rpc_status.from_call(error).details}
    assert "google.rpc.ErrorInfo" in kinds
    if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
        wrong = error_details_pb2.BadRequest()
        kinds["google.rpc.BadRequest"].Unpack(wrong)
        assert all(violation.field and violation.description for violation in wrong.field_violations)


def calls(requests: st.SearchStrategy[Message]) -> st.SearchStrategy[tuple[MethodDescriptor, Message]]:
    return requests.map(lambda one: (_method_of(one), one))


def _method_of(request: Message) -> MethodDescriptor:
    return next(method for method in METHODS if method.input_type is request.DESCRIPTOR)


@settings(max_examples=300, deadline=None)
@given(calls(st.one_of(*(messages(method.input_type) for method in UNARY), *map(spoiled, VALID))))
async def test_any_request_is_answered_or_refused(
    channel: grpc.aio.Channel, call: tuple[MethodDescriptor, Message]
) -> None:
    """No field of any request makes an error of ours."""
    method, request = call
    require_told(await refusal(stub(channel, method.containing_service, method.name)(request, timeout=30)))


@settings(max_examples=100, deadline=None)
@given(st.lists(messages(TRANSCRIBER.methods_by_name["StreamAudio"].input_type), max_size=4))
async def test_any_stream_is_answered_or_refused(server: Listening, requests: list[Message]) -> None:
    """Neither does any message of a stream, first or later."""
    sent = [request.SerializeToString() for request in requests]
    require_told((await exchange(server.address, STREAM, sent)).error)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(UNARY), st.binary(max_size=200))
async def test_any_bytes_are_answered_or_refused(
    channel: grpc.aio.Channel, method: MethodDescriptor, data: bytes
) -> None:
    """Nor do bytes that never were a message."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    call = channel.unary_stream(path) if method.server_streaming else channel.unary_unary(path)
    error = await refusal(call(data, timeout=30))
    assert error is None or error.code() is grpc.StatusCode.INVALID_ARGUMENT
