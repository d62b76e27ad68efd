"""Answers that are errors become typed exceptions."""

import grpc
import pytest
from cortex_client.errors import (
    STATUS_DETAILS,
    CallFailed,
    FieldViolation,
    InvalidInput,
    LimitReached,
    NotFound,
    RoomTaken,
    failure_of,
)
from cortex_client.retrying import is_passing
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

pytestmark = pytest.mark.unit


def answered(code: grpc.StatusCode, *details: Message) -> grpc.aio.AioRpcError:
    status = Status(code=code.value[0], message="no")
    for detail in details:
        packed = Any()
        packed.Pack(detail)
        status.details.append(packed)
    trailing = grpc.aio.Metadata((STATUS_DETAILS, status.SerializeToString()))
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing, details="no")


def test_a_reason_with_a_class_of_its_own_decides() -> None:
    """Callers can catch the one case that they have an answer to."""
    failed = failure_of(answered(grpc.StatusCode.ALREADY_EXISTS, ErrorInfo(reason="ROOM_TAKEN")))
    assert type(failed) is RoomTaken


def test_other_reasons_are_told_by_their_code() -> None:
    """A reason that this version does not know is still of a known kind, and can be read."""
    failed = failure_of(answered(grpc.StatusCode.NOT_FOUND, ErrorInfo(reason="WHATEVER_NOT_FOUND")))
    assert type(failed) is NotFound
    assert failed.reason == "WHATEVER_NOT_FOUND"


def test_the_fields_at_fault_are_named() -> None:
    """Bad input says which field broke which rule."""
    wrong = BadRequest(field_violations=[BadRequest.FieldViolation(field="title", description="too long")])
    failed = failure_of(answered(grpc.StatusCode.INVALID_ARGUMENT, wrong))
    assert type(failed) is InvalidInput
    assert failed.violations == (FieldViolation("title", "too long"),)


def test_a_limit_says_when_to_come_back() -> None:
    """The service's own delay is in seconds."""
    failed = failure_of(
        answered(grpc.StatusCode.RESOURCE_EXHAUSTED, RetryInfo(retry_delay=Duration(seconds=1, nanos=500_000_000)))
    )
    assert type(failed) is LimitReached
    assert failed.retry_after == 1.5


def test_an_answer_without_details_keeps_its_code() -> None:
    """Proxies and the transport know no details."""
    failed = failure_of(grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, grpc.aio.Metadata(), grpc.aio.Metadata()))
    assert type(failed) is CallFailed
    assert (failed.code, failed.reason, failed.violations) == (grpc.StatusCode.INTERNAL, "", ())


def test_a_defect_of_a_service_does_not_pass() -> None:
    """INTERNAL with a reason is a service's answer; without one it is gRPC's word for a connection that broke."""
    defect = failure_of(answered(grpc.StatusCode.INTERNAL, ErrorInfo(reason="INTERNAL")))
    assert not is_passing(defect)
    assert is_passing(
        failure_of(grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, grpc.aio.Metadata(), grpc.aio.Metadata()))
    )
