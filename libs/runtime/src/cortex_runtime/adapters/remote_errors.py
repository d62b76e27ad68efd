"""What another service refused, as an error of our own: the error table, read from the other side."""

from datetime import timedelta
from typing import TypeVar

import grpc
from cortex_eventing.errors import (
    AlreadyExists,
    CortexError,
    InvalidInput,
    LimitReached,
    NotFound,
    Outdated,
    Rejected,
    Unavailable,
    WrongState,
)
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

Detail = TypeVar("Detail", bound=Message)

_DEFAULT_RETRY = timedelta(seconds=1)  # what our own errors say when nothing better is known
_REFUSALS: dict[grpc.StatusCode, type[Rejected]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidInput,
    grpc.StatusCode.FAILED_PRECONDITION: WrongState,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExists,
    grpc.StatusCode.ABORTED: Outdated,
}


def error_of(error: grpc.aio.AioRpcError, service: str) -> CortexError:
    """The error that another service's status stands for.

    Whatever is not a refusal, its own defects and time-outs included, counts as the service being away: that is a
    state which passes, also when the next release mends it.

    Args:
        error: what the call raised.
        service: what to call the other service.
    """
    status = _status(error)
    info = _detail(status, error_details_pb2.ErrorInfo())
    reason = info.reason or None
    field = info.metadata.get("field", "")
    if error.code() is grpc.StatusCode.NOT_FOUND:
        return NotFound("resource", reason=reason, field=field)
    if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return LimitReached(status.message, retry_after=_retry(status), reason=reason, field=field)
    refusal = _REFUSALS.get(error.code())
    if refusal is None:
        return Unavailable(service, retry_after=_retry(status))
    return refusal(status.message, reason=reason, field=field)


def _status(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    """The rich status; a bare one for what gRPC itself or a proxy answered."""
    try:
        status = rpc_status.from_call(error)
    except ValueError:
        status = None
    return status or status_pb2.Status(message=error.details() or error.code().name)


def _detail(status: status_pb2.Status, detail: Detail) -> Detail:
    """The status's detail of this type, or the empty one that was given."""
    for packed in status.details:
        if packed.Unpack(detail):
            break
    return detail


def _retry(status: status_pb2.Status) -> timedelta:
    info = _detail(status, error_details_pb2.RetryInfo())
    return info.retry_delay.ToTimedelta() if info.HasField("retry_delay") else _DEFAULT_RETRY
