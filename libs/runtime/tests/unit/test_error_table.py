"""The one table of errors: bounded, complete, and readable from the other side."""

import grpc
import pytest
from cortex_eventing.errors import ClaimTaken, ClaimTakenBy, InvalidInput, Rejected, Unavailable
from cortex_runtime.adapters.error_table import LARGEST_DETAILS, code_of, status_of
from cortex_runtime.adapters.remote_errors import error_of
from cortex_runtime.field_violations import FieldViolation, InvalidFields
from google.rpc import error_details_pb2

pytestmark = pytest.mark.unit


def bad_request(error: Exception) -> error_details_pb2.BadRequest:
    found = error_details_pb2.BadRequest()
    for packed in status_of(error, "cortex.identity").details:
        packed.Unpack(found)
    return found


@pytest.mark.parametrize("length", [1, 200, 3000])
def test_details_fit_into_metadata(length: int) -> None:
    """However many and however long the violations are, the status stays far below what gRPC carries."""
    error = InvalidFields([FieldViolation("f" * length, "must not be", "NOT")] * 200)
    assert bad_request(error).field_violations
    assert bad_request(error).ByteSize() <= LARGEST_DETAILS
    assert status_of(error, "cortex.identity").ByteSize() <= LARGEST_DETAILS + 1024


def test_a_single_field_is_a_bad_request_too() -> None:
    """What `decide` refuses has the same shape as what validation refuses."""
    (violation,) = bad_request(InvalidInput("must be later", reason="TOO_EARLY", field="end")).field_violations
    assert (violation.field, violation.description, violation.reason) == ("end", "must be later", "TOO_EARLY")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ClaimTaken(ClaimTakenBy("room", "somebody")), grpc.StatusCode.ALREADY_EXISTS),
        (Rejected("no"), grpc.StatusCode.FAILED_PRECONDITION),
        (TimeoutError(), grpc.StatusCode.DEADLINE_EXCEEDED),
        (KeyError("Ada"), grpc.StatusCode.INTERNAL),
    ],
)
def test_every_error_has_a_code(error: Exception, code: grpc.StatusCode) -> None:
    """Kinds of kinds fall to their parent, everything unknown to INTERNAL, whose text tells nothing."""
    assert code_of(error) is code
    assert "Ada" not in str(status_of(error, "cortex.identity"))
    assert "somebody" not in str(status_of(error, "cortex.identity"))


def test_what_a_proxy_answers_has_no_details() -> None:
    """A bare status, as gRPC itself or something between gives it, is the service being away."""
    bare = grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), "connect failed")
    assert isinstance(error_of(bare, "identity"), Unavailable)
    missing = grpc.aio.AioRpcError(grpc.StatusCode.INVALID_ARGUMENT, grpc.aio.Metadata(), grpc.aio.Metadata(), "no")
    refusal = error_of(missing, "identity")
    assert isinstance(refusal, InvalidInput)
    assert (refusal.message, refusal.reason) == ("no", "INVALID_INPUT")
