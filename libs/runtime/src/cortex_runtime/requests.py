"""What command handling needs to know of a request: how a repeat is recognised, and where it came from."""

import hashlib
import uuid

from cortex_eventing.ports import RequestKey
from cortex_eventing.recorded import Origin
from google.protobuf.message import Message

from cortex_runtime.caller import call_of

REQUEST_ID = "request_id"


def request_key(method: str, request: Message) -> RequestKey | None:
    """How a repeat of this request is recognised; None when it carries no request id, and so may not be repeated.

    The body counts without its request id: SHA-256 over protobuf's deterministic serialization.
    """
    request_id = getattr(request, REQUEST_ID)
    if not request_id:
        return None
    body = type(request)()
    body.CopyFrom(request)
    body.ClearField(REQUEST_ID)
    return RequestKey(
        method, uuid.UUID(request_id), hashlib.sha256(body.SerializeToString(deterministic=True)).digest()
    )


def origin_of(context: object) -> Origin:
    """Where a command that comes from this call came from."""
    call = call_of(context)
    return Origin(
        project_id=call.caller.project_id,
        actor=call.caller.actor,
        correlation_id=call.correlation_id or call.request_id,
        causation_id=call.request_id,
        traceparent=call.traceparent,
    )
