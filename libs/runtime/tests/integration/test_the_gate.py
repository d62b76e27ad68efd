"""Every call is admitted, refused and concluded in the same way."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import grpc
import pytest
from cortex.identity.v1.identity_service_pb2 import (
    CreateParticipantRequest,
    GetParticipantRequest,
    ListParticipantsRequest,
)
from cortex.identity.v1.resources_pb2 import Participant
from cortex.session.v1.session_service_pb2 import WatchMessagesRequest, WatchMessagesResponse
from cortex.transcriber.v1.transcriber_service_pb2 import Open, PeerLeft, StreamAudioRequest, StreamAudioResponse
from cortex_eventing.errors import (
    AlreadyExists,
    Impossible,
    InvalidInput,
    LimitReached,
    NotFound,
    Outdated,
    Unavailable,
    WrongState,
)
from cortex_runtime.adapters.interceptors import admission, incoming
from cortex_runtime.adapters.remote_errors import error_of
from cortex_runtime.caller import call_of, caller_of, deadline_of
from cortex_runtime.requests import origin_of
from cortex_runtime.validation import validates_itself
from cortex_testkit.fake_services import (
    IDENTITY,
    SESSION,
    TRANSCRIBER,
    Exchange,
    exchange,
    fake,
    listening,
    serving,
    stub,
)
from google.rpc import error_details_pb2
from grpc_status import rpc_status

pytestmark = pytest.mark.integration

PROJECT = "01980a8f-0000-7000-8000-000000000001"
ID = "01980a8f-0000-7000-8000-00000000000a"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

STREAM = "/cortex.transcriber.v1.TranscriberService/StreamAudio"
GET = GetParticipantRequest(project_id=PROJECT, participant_id=ID)
WATCH = WatchMessagesRequest(project_id=PROJECT, session_id=ID)
OPENING = StreamAudioRequest(open=Open(project_id=PROJECT, session_id=ID))
LEAVING = StreamAudioRequest(peer_left=PeerLeft(peer=1))
WRONG = StreamAudioRequest(peer_left=PeerLeft(peer=0))


def details_of(error: grpc.aio.AioRpcError) -> dict[str, Any]:
    """An error's details by the name of their type."""
    found: dict[str, Any] = {}
    for packed in rpc_status.from_call(error).details:
        kind = getattr(error_details_pb2, packed.TypeName().rpartition(".")[2])
        packed.Unpack(found.setdefault(kind.DESCRIPTOR.name, kind()))
    return found


def raising(error: BaseException) -> Callable[..., Awaitable[None]]:
    async def handler(_request: object, _context: object) -> None:
        raise error

    return handler


async def refused(call: Awaitable[Any] | AsyncIterator[Any]) -> grpc.aio.AioRpcError:
    """The error that a call ends with."""
    ending = call if hasattr(call, "__await__") else answers_of(call, [])
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ending
    return caught.value


async def answers_of(call: AsyncIterator[Any], answers: list[Any]) -> None:
    """Collect a stream's answers until it ends."""
    async for answer in call:
        answers.append(answer)  # noqa: PERF401 - those before an error count too


async def refusal_of(error: BaseException) -> grpc.aio.AioRpcError:
    async with serving(fake(IDENTITY, GetParticipant=raising(error))) as channel:
        return await refused(stub(channel, IDENTITY, "GetParticipant")(GET))


class TestAdmission:
    async def test_handlers_see_a_caller(self) -> None:
        """The project of the request becomes the caller, with the trace and correlation id that came along."""
        seen: list[Any] = []

        async def get(_request: object, context: object) -> Participant:
            seen.extend((call_of(context), caller_of(context), origin_of(context), deadline_of(context)))
            return Participant()

        async with serving(fake(IDENTITY, GetParticipant=get)) as channel:
            headers = (("traceparent", TRACE), ("x-correlation-id", ID.upper()))
            await stub(channel, IDENTITY, "GetParticipant")(GET, metadata=headers, timeout=5)
        call, caller, origin, deadline = seen
        assert (call.method, call.domain) == ("GetParticipant", "cortex.identity")
        assert (caller.project_id, caller.is_service) == (PROJECT, False)
        assert (origin.project_id, origin.traceparent, origin.correlation_id) == (PROJECT, TRACE, ID)
        assert deadline < asyncio.get_running_loop().time() + admission.DEFAULT_DEADLINE

    async def test_the_request_id_names_the_cause(self) -> None:
        """A command's events can be traced to the request, which also correlates them when nothing else does."""
        seen: list[Any] = []

        async def create(_request: object, context: object) -> None:
            seen.append(origin_of(context))
            raise NotFound("participant")

        async with serving(fake(IDENTITY, CreateParticipant=create)) as channel:
            request = CreateParticipantRequest(project_id=PROJECT, request_id=ID, external_user_id="u")
            headers = (("traceparent", "garbage"), ("x-correlation-id", "Ada Lovelace"))
            await refused(stub(channel, IDENTITY, "CreateParticipant")(request, metadata=headers))
        assert (seen[0].causation_id, seen[0].correlation_id, seen[0].traceparent) == (ID, ID, "")

    async def test_every_broken_rule_is_named(self) -> None:
        """All fields that are wrong come at once, with the path, the rule and its name."""
        request = ListParticipantsRequest(project_id="x", page_size=-1, external_user_ids=["a", ""])
        async with serving(fake(IDENTITY)) as channel:
            error = await refused(stub(channel, IDENTITY, "ListParticipants")(request))
        details = details_of(error)
        found = {(one.field, one.reason) for one in details["BadRequest"].field_violations}
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert found == {
            ("project_id", "STRING_UUID"),
            ("page_size", "INT32_GTE"),
            ("external_user_ids[1]", "STRING_MIN_LEN"),
        }
        assert (details["ErrorInfo"].reason, details["ErrorInfo"].domain) == ("INVALID_INPUT", "cortex.identity")

    async def test_violations_never_outgrow_the_metadata(self) -> None:
        """A hundred wrong fields are cut, since gRPC drops larger metadata together with the status."""
        request = ListParticipantsRequest(project_id=PROJECT, external_user_ids=[""] * 100)
        async with serving(fake(IDENTITY)) as channel:
            error = await refused(stub(channel, IDENTITY, "ListParticipants")(request))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert 10 < len(details_of(error)["BadRequest"].field_violations) <= 50

    @pytest.mark.parametrize(
        ("request_", "field", "reason"),
        [
            (GetParticipantRequest(project_id=PROJECT.upper(), participant_id=ID), "project_id", "UUID_CANONICAL"),
            (GetParticipantRequest(project_id=PROJECT, participant_id=ID.upper()), "participant_id", "UUID_CANONICAL"),
            (GetParticipantRequest(participant_id=ID), "project_id", "STRING_UUID_EMPTY"),
        ],
    )
    async def test_ids_are_canonical(self, request_: Any, field: str, reason: str) -> None:  # noqa: ANN401
        """Two texts of one id would be two ids to a store, so only the canonical one is taken."""
        async with serving(fake(IDENTITY)) as channel:
            error = await refused(stub(channel, IDENTITY, "GetParticipant")(request_))
        violation = details_of(error)["BadRequest"].field_violations[0]
        assert (violation.field, violation.reason) == (field, reason)

    async def test_text_that_no_store_can_hold_is_refused(self) -> None:
        """U+0000 is named where it stands, however deep, and never reaches PostgreSQL."""
        request = CreateParticipantRequest(project_id=PROJECT, external_user_id="a\0", display_name="fine")
        request.user_data.update({"deep": [{"er": "b\0"}]})
        async with serving(fake(IDENTITY)) as channel:
            error = await refused(stub(channel, IDENTITY, "CreateParticipant")(request))
        found = [one.field for one in details_of(error)["BadRequest"].field_violations]
        assert found[0] == "external_user_id"
        assert found[1].startswith("user_data.fields")
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT

    @pytest.mark.parametrize("data", [b"\xff\xff", b"\x0a\x02\xff\xfe"])
    async def test_bytes_that_are_no_message_are_refused(self, data: bytes) -> None:
        """Corrupt wire format, or text that is not UTF-8, is the caller's mistake and said so."""
        async with serving(fake(IDENTITY)) as channel:
            error = await refused(channel.unary_unary("/cortex.identity.v1.IdentityService/GetParticipant")(data))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert details_of(error)["ErrorInfo"].reason == "MALFORMED"

    async def test_a_handler_that_takes_too_long_is_ended(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a deadline of the client's own the default holds."""
        monkeypatch.setattr(admission, "DEFAULT_DEADLINE", 0.05)
        ended = asyncio.Event()

        async def endless(_request: object, _context: object) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        async with serving(fake(IDENTITY, GetParticipant=endless)) as channel:
            error = await refused(stub(channel, IDENTITY, "GetParticipant")(GET))
        assert ended.is_set()
        assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert details_of(error)["ErrorInfo"].reason == "DEADLINE_EXCEEDED"

    async def test_a_deadline_has_an_upper_bound(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A client that would wait for a year is answered within ours."""
        monkeypatch.setattr(admission, "LONGEST_DEADLINE", 0.05)

        async def endless(_request: object, _context: object) -> None:
            await asyncio.Event().wait()

        async with serving(fake(IDENTITY, GetParticipant=endless)) as channel:
            error = await refused(stub(channel, IDENTITY, "GetParticipant")(GET, timeout=1e7))
        assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED


class TestRefusals:
    @pytest.mark.parametrize(
        ("error", "code", "reason"),
        [
            (InvalidInput("no", field="title"), grpc.StatusCode.INVALID_ARGUMENT, "INVALID_INPUT"),
            (NotFound("session"), grpc.StatusCode.NOT_FOUND, "SESSION_NOT_FOUND"),
            (WrongState("ended", reason="SESSION_ENDED"), grpc.StatusCode.FAILED_PRECONDITION, "SESSION_ENDED"),
            (AlreadyExists("taken"), grpc.StatusCode.ALREADY_EXISTS, "ALREADY_EXISTS"),
            (Outdated("old"), grpc.StatusCode.ABORTED, "ETAG_MISMATCH"),
            (
                LimitReached("too many", retry_after=timedelta(seconds=3)),
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                "LIMIT_REACHED",
            ),
            (Unavailable("PostgreSQL"), grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE"),
        ],
    )
    async def test_each_kind_has_its_status(self, error: Any, code: grpc.StatusCode, reason: str) -> None:  # noqa: ANN401
        """The table's codes, reasons and retry delays reach the client, which reads the same kind from them."""
        status = await refusal_of(error)
        details = details_of(status)
        assert (status.code(), details["ErrorInfo"].reason) == (code, reason)
        delay = getattr(error, "retry_after", None)
        assert (details["RetryInfo"].retry_delay.ToTimedelta() if delay else None) == delay
        assert type(error_of(status, "PostgreSQL")) is type(error)

    @pytest.mark.parametrize("error", [ZeroDivisionError("Ada's secret"), Impossible(GET, GET)])
    async def test_defects_tell_nothing(self, error: Exception) -> None:
        """Whatever an unexpected exception says stays out of the answer."""
        status = await refusal_of(error)
        assert status.code() is grpc.StatusCode.INTERNAL
        assert details_of(status)["ErrorInfo"].reason == "INTERNAL"
        assert "secret" not in status.details() + str(rpc_status.from_call(status))

    async def test_a_group_of_refusals_is_told_as_its_first(self) -> None:
        """Handlers that work in task groups refuse like the others."""
        assert (await refusal_of(ExceptionGroup("g", [NotFound("peer")]))).code() is grpc.StatusCode.NOT_FOUND

    async def test_a_handler_may_abort_by_itself(self) -> None:
        """What a handler says with gRPC's own means is passed on."""

        async def abort(_request: object, context: Any) -> None:  # noqa: ANN401
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "later")

        async with serving(fake(IDENTITY, GetParticipant=abort)) as channel:
            error = await refused(stub(channel, IDENTITY, "GetParticipant")(GET))
        assert (error.code(), error.details()) == (grpc.StatusCode.UNIMPLEMENTED, "later")


async def echo(requests: AsyncIterator[StreamAudioRequest], context: object) -> AsyncIterator[StreamAudioResponse]:
    """Acknowledge each message by its number in the stream."""
    assert caller_of(context).project_id == PROJECT
    count = 0
    async for _ in requests:
        count += 1
        response = StreamAudioResponse()
        response.acknowledged.through_sequence = count
        yield response


async def exchanged(handler: Callable[..., Any], *messages: StreamAudioRequest) -> Exchange:
    """What a handler of StreamAudio answers to these messages."""
    async with listening(fake(TRANSCRIBER, StreamAudio=handler)) as server:
        return await exchange(server.address, STREAM, [message.SerializeToString() for message in messages])


class TestStreams:
    async def test_the_first_message_is_part_of_the_stream(self) -> None:
        """The door reads it to know the caller, and the handler still gets it."""
        async with serving(fake(TRANSCRIBER, StreamAudio=echo)) as channel:
            answers = stub(channel, TRANSCRIBER, "StreamAudio")(iter([OPENING, LEAVING]))
            assert [answer.acknowledged.through_sequence async for answer in answers] == [1, 2]

    @pytest.mark.parametrize("messages", [[], [LEAVING]])
    async def test_a_stream_must_be_opened(self, messages: list[StreamAudioRequest]) -> None:
        """Without an opening message nobody knows whose stream it is."""
        error = (await exchanged(echo, *messages)).error
        details = details_of(error)
        assert (error.code(), details["ErrorInfo"].reason) == (grpc.StatusCode.INVALID_ARGUMENT, "OPEN_MISSING")
        assert details["BadRequest"].field_violations[0].field == "open"

    async def test_a_silent_stream_is_ended(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A stream that never says anything does not stay for ever."""
        monkeypatch.setattr(incoming, "FIRST_MESSAGE_WITHIN", 0.05)
        async with serving(fake(TRANSCRIBER, StreamAudio=echo)) as channel:
            error = await refused(stub(channel, TRANSCRIBER, "StreamAudio")())
        assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED

    async def test_each_message_is_checked(self) -> None:
        """A later message that breaks a rule ends a stream that does not check itself."""
        error = (await exchanged(echo, OPENING, WRONG)).error
        assert details_of(error)["BadRequest"].field_violations[0].field == "peer_left.peer"

    async def test_a_handler_may_check_later_messages_itself(self) -> None:
        """So that one bad peer never ends the stream of the others; the first message is checked all the same."""
        tolerant = validates_itself(_copy_of(echo))
        assert len((await exchanged(tolerant, OPENING, WRONG)).responses) == 2
        upper = StreamAudioRequest(open=Open(project_id=PROJECT.upper(), session_id=ID))
        error = (await exchanged(tolerant, upper)).error
        assert details_of(error)["BadRequest"].field_violations[0].field == "open.project_id"

    async def test_garbage_in_a_stream_is_refused(self) -> None:
        """Bytes that are no message are the caller's mistake on a stream too."""
        async with listening(fake(TRANSCRIBER, StreamAudio=echo)) as server:
            for messages in ([b"\xff\xff"], [OPENING.SerializeToString(), b"\xff\xff"]):
                error = (await exchange(server.address, STREAM, messages)).error
                assert error.code() is grpc.StatusCode.INVALID_ARGUMENT

    async def test_a_refusal_may_come_in_the_middle(self) -> None:
        """What was answered before it arrives, and then the status."""

        async def watch(_request: object, _context: object) -> AsyncIterator[WatchMessagesResponse]:
            yield WatchMessagesResponse(position=1)
            raise NotFound("session")

        got: list[WatchMessagesResponse] = []
        async with serving(fake(SESSION, WatchMessages=watch)) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await answers_of(stub(channel, SESSION, "WatchMessages")(WATCH), got)
        assert ([one.position for one in got], caught.value.code()) == ([1], grpc.StatusCode.NOT_FOUND)

    async def test_a_handler_is_closed_when_its_client_goes(self) -> None:
        """What a handler holds is let go of at once, not when the garbage collector comes by."""
        closed = asyncio.Event()

        async def watch(_request: object, _context: object) -> AsyncIterator[WatchMessagesResponse]:
            try:
                yield WatchMessagesResponse(position=1)
                await asyncio.Event().wait()
            finally:
                closed.set()

        async with serving(fake(SESSION, WatchMessages=watch)) as channel:
            call = stub(channel, SESSION, "WatchMessages")(WATCH)
            await call.read()
            call.cancel()
            await asyncio.wait_for(closed.wait(), timeout=10)


def _copy_of(handler: Callable[..., AsyncIterator[StreamAudioResponse]]) -> Callable[..., Any]:
    async def copy(requests: Any, context: object) -> AsyncIterator[StreamAudioResponse]:  # noqa: ANN401
        async for response in handler(requests, context):
            yield response

    return copy
