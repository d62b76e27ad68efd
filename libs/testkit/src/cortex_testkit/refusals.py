"""What a gRPC call was refused with, as a value to compare."""

from collections.abc import Awaitable
from dataclasses import dataclass

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status


@dataclass(frozen=True)
class Refusal:
    """A call's status.

    Attributes:
        code: gRPC's.
        reason: of ErrorInfo.
        fields: those that BadRequest names, or the one of ErrorInfo.
    """

    code: grpc.StatusCode
    reason: str
    fields: tuple[str, ...]


async def refusal_of(call: Awaitable[object]) -> Refusal:
    """Why the call was refused.

    Raises:
        AssertionError: it was not.
    """
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        return _refusal(error)
    raise AssertionError(f"answered instead of refused: {answer}")


def _refusal(error: grpc.aio.AioRpcError) -> Refusal:
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    status = rpc_status.from_call(error)
    for packed in status.details if status else ():
        _unpack(packed, info, bad)
    named = tuple(violation.field for violation in bad.field_violations)
    return Refusal(error.code(), info.reason, named or tuple(filter(None, [info.metadata.get("field", "")])))


def _unpack(packed: "Message", *details: Message) -> None:
    for detail in details:
        packed.Unpack(detail)  # type: ignore[attr-defined]
