"""What a call can come back with instead of an answer.

    CallFailed                  anything that a service answers instead of a result
    ├── InvalidInput            the request can never be right; `violations` name the fields
    │   └── RequestIdReused     the request id was used before, for another request
    ├── NotFound                missing and another project's alike
    │   └── SessionNotFound     there is no such session in this project
    ├── WrongState              right at another time
    │   └── SessionHasEnded     the session is over, for ever
    ├── AlreadyExists           something else holds what only one may have
    │   └── RoomTaken           the room has an active session already
    ├── Outdated                the etag is not the current one
    ├── LimitReached            too much of something; `retry_after` says when to try again
    ├── TimedOut                the deadline of the call passed; the outcome is not known
    └── Unavailable             the service, or one that it needs, is away; the outcome is not known

The class follows from the reason in the answer's ErrorInfo where that has a class of its own, else from its status
code. A mutation whose outcome is not known may be sent again with the same request id.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

Detail = TypeVar("Detail", bound=Message)

# Where a gRPC server puts the google.rpc.Status of an answer.
STATUS_DETAILS = "grpc-status-details-bin"


@dataclass(frozen=True)
class FieldViolation:
    """What was wrong with one field of a request."""

    field: str
    description: str


class CallFailed(Exception):
    """A service answered with an error.

    Attributes:
        code: the gRPC status code.
        reason: the machine-readable word of the answer's ErrorInfo, stable for ever; empty when there was none.
        message: one sentence for people.
        violations: the fields at fault.
        retry_after: seconds after which another attempt makes sense, or None when the service named no time.
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        *,
        reason: str = "",
        violations: Sequence[FieldViolation] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{code.name}{f' {reason}' if reason else ''}: {message}")
        self.code = code
        self.message = message
        self.reason = reason
        self.violations = tuple(violations)
        self.retry_after = retry_after


class InvalidInput(CallFailed):
    """The request can never be right."""


class RequestIdReused(InvalidInput):
    """The request id was used before, for another request."""


class NotFound(CallFailed):
    """There is no such thing in this project."""


class SessionNotFound(NotFound):
    """There is no such session in this project."""


class WrongState(CallFailed):
    """The request would be right at another time."""


class SessionHasEnded(WrongState):
    """The session is over, for ever."""


class AlreadyExists(CallFailed):
    """Something else holds what the request wants for itself alone."""


class RoomTaken(AlreadyExists):
    """The room has an active session already."""


class Outdated(CallFailed):
    """The etag is not the current one."""


class LimitReached(CallFailed):
    """Too much of something."""


class TimedOut(CallFailed):
    """The deadline of the call passed before the answer came."""


class Unavailable(CallFailed):
    """The service, or one that it needs, is away."""


BY_REASON: dict[str, type[CallFailed]] = {
    "REQUEST_ID_REUSED": RequestIdReused,
    "ROOM_TAKEN": RoomTaken,
    "SESSION_ENDED": SessionHasEnded,
    "SESSION_NOT_FOUND": SessionNotFound,
}
BY_CODE: dict[grpc.StatusCode, type[CallFailed]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidInput,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.FAILED_PRECONDITION: WrongState,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExists,
    grpc.StatusCode.ABORTED: Outdated,
    grpc.StatusCode.RESOURCE_EXHAUSTED: LimitReached,
    grpc.StatusCode.DEADLINE_EXCEEDED: TimedOut,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
}
CODES = {code.value[0]: code for code in grpc.StatusCode}


def failure_of(error: grpc.aio.AioRpcError) -> CallFailed:
    """The typed form of an error that a call ended with."""
    status = _details_of(error)
    status.code, status.message = error.code().value[0], error.details() or ""
    return failure(status)


def failure(status: Status) -> CallFailed:
    """The typed form of a status, whether it ended a call or came in a message."""
    code = CODES.get(status.code, grpc.StatusCode.UNKNOWN)
    info = _detail(status, ErrorInfo())
    kind = BY_REASON.get(info.reason) or BY_CODE.get(code, CallFailed)
    return kind(
        code,
        status.message,
        reason=info.reason,
        violations=[FieldViolation(v.field, v.description) for v in _detail(status, BadRequest()).field_violations],
        retry_after=_retry_after(status),
    )


def _details_of(error: grpc.aio.AioRpcError) -> Status:
    status = Status()
    for key, value in error.trailing_metadata() or ():
        if key == STATUS_DETAILS and isinstance(value, bytes):
            status.ParseFromString(value)
    return status


def _detail(status: Status, into: Detail) -> Detail:
    """The status's detail of this type, or an empty one."""
    for packed in status.details:
        if packed.Is(into.DESCRIPTOR):
            packed.Unpack(into)
    return into


def _retry_after(status: Status) -> float | None:
    retry = _detail(status, RetryInfo())
    return retry.retry_delay.ToTimedelta().total_seconds() if retry.HasField("retry_delay") else None
