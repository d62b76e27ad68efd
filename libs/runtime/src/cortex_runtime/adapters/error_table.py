"""One table from the kinds of errors to gRPC statuses, and the shape that every error has (AIP-193).

Each status carries ErrorInfo (reason and domain); INVALID_ARGUMENT adds BadRequest with every field that is wrong; what
is worth trying again adds RetryInfo.
"""

from collections.abc import Iterable
from datetime import timedelta

import grpc
from cortex_eventing.errors import (
    AlreadyExists,
    InvalidInput,
    LimitReached,
    NotFound,
    Outdated,
    Rejected,
    Unavailable,
    WrongState,
)
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from cortex_runtime.field_violations import FieldViolation, InvalidFields

# The first kind that fits counts.
TABLE: tuple[tuple[type[Exception], grpc.StatusCode], ...] = (
    (InvalidInput, grpc.StatusCode.INVALID_ARGUMENT),
    (NotFound, grpc.StatusCode.NOT_FOUND),
    (WrongState, grpc.StatusCode.FAILED_PRECONDITION),
    (AlreadyExists, grpc.StatusCode.ALREADY_EXISTS),
    (Outdated, grpc.StatusCode.ABORTED),
    (LimitReached, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (Rejected, grpc.StatusCode.FAILED_PRECONDITION),
    (Unavailable, grpc.StatusCode.UNAVAILABLE),
    (TimeoutError, grpc.StatusCode.DEADLINE_EXCEEDED),
)
MOST_VIOLATIONS = 50  # nobody mends more at once
LARGEST_DETAILS = 4096  # bytes: details travel as metadata, which gRPC drops at random from 8 KiB on
LONGEST_MESSAGE = 500  # characters: the message travels as metadata too
LONGEST_FIELD = 200  # characters of a path in ErrorInfo

_CODES = {code.value[0]: code for code in grpc.StatusCode}


def code_of(error: Exception) -> grpc.StatusCode:
    """The status code of an error; INTERNAL for what the table does not know."""
    return next((code for kind, code in TABLE if isinstance(error, kind)), grpc.StatusCode.INTERNAL)


def grpc_code(status: status_pb2.Status) -> grpc.StatusCode:
    """A status's code as gRPC names it."""
    return _CODES[status.code]


def reason_of(error: Exception) -> str:
    """The machine-readable word for an error."""
    if isinstance(error, Rejected):
        return error.reason
    return code_of(error).name


def status_of(error: Exception, domain: str) -> status_pb2.Status:
    """The status that a caller is told.

    An error that the table does not know becomes INTERNAL without any detail of what happened: its text may hold
    anything.

    Args:
        error: what was raised.
        domain: the service as errors name it, for example `cortex.session`.
    """
    code = code_of(error)
    details = [_info(error, domain), *_bad_request(error), *_retry(error)]
    status = status_pb2.Status(code=code_pb2.Code.Value(code.name), message=_message(error, code)[:LONGEST_MESSAGE])
    for detail in details:
        status.details.add().Pack(detail)
    return status


def _message(error: Exception, code: grpc.StatusCode) -> str:
    if code is grpc.StatusCode.INTERNAL:
        return "an error of ours; it was logged"
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return "not answered within the deadline"
    return error.message if isinstance(error, Rejected) else str(error)


def _info(error: Exception, domain: str) -> error_details_pb2.ErrorInfo:
    named = error.field if isinstance(error, Rejected) else ""
    metadata = {"field": named[:LONGEST_FIELD]} if named else {}
    return error_details_pb2.ErrorInfo(reason=reason_of(error), domain=domain, metadata=metadata)


def _bad_request(error: Exception) -> Iterable[Message]:
    if isinstance(error, InvalidFields):
        return [_bounded(error.violations)]
    if isinstance(error, InvalidInput) and error.field:
        return [_bounded([FieldViolation(error.field, error.message, error.reason)])]
    return []


def _bounded(violations: Iterable[FieldViolation]) -> error_details_pb2.BadRequest:
    """As many of the violations as fit, in their order."""
    request = error_details_pb2.BadRequest()
    for violation in violations:
        request.field_violations.add(field=violation.field, description=violation.rule, reason=violation.reason)
        if len(request.field_violations) == MOST_VIOLATIONS or request.ByteSize() > LARGEST_DETAILS:
            break
    if request.ByteSize() > LARGEST_DETAILS and len(request.field_violations) > 1:
        del request.field_violations[-1]
    return request


def _retry(error: Exception) -> Iterable[Message]:
    after: timedelta | None = getattr(error, "retry_after", None)
    if after is None:
        return []
    info = error_details_pb2.RetryInfo()
    info.retry_delay.FromTimedelta(after)
    return [info]
