"""Station 1's door: what must be so before a handler sees a call, and what it is told of it."""

import asyncio
import uuid

from cortex_eventing.errors import InvalidInput
from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.message import Message

from cortex_runtime.adapters.interceptors.call_context import AnyContext
from cortex_runtime.allowance import Allowance
from cortex_runtime.caller import Call, Caller
from cortex_runtime.requests import REQUEST_ID
from cortex_runtime.telemetry import current_traceparent, traceparent_in, tracing_is_on
from cortex_runtime.validation import require_valid

DEFAULT_DEADLINE = 10.0  # seconds, for callers that name none: longer than any answer takes, shorter than patience
LONGEST_DEADLINE = 60.0  # seconds: a caller that waits longer has gone away without saying so

OPENING = "open"  # the field of a stream's first message that names the project
CORRELATION_ID = "x-correlation-id"
WHOLE_STORE = "ReadEvents"  # the one method that our own services may call without a project


class Admission:
    """Admits the calls of one method."""

    def __init__(self, method: MethodDescriptor, allowance: Allowance | None = None) -> None:
        self.name = method.name
        self.service = method.containing_service.full_name
        self.domain = ".".join(self.service.split(".")[:2])
        self._allowance = allowance
        self._opens = _names_project_in_opening(method.input_type)
        self._answers_once = not method.server_streaming

    def admit(self, request: Message, context: AnyContext) -> Call:
        """The call that a request, or a stream's first message, makes.

        Raises:
            InvalidInput: names every field that is wrong.
        """
        require_valid(request)
        headers = headers_of(context)
        traceparent = (tracing_is_on() and current_traceparent()) or traceparent_in(headers)
        return Call(
            method=self.name,
            domain=self.domain,
            caller=self._caller(request),
            request_id=getattr(request, REQUEST_ID, ""),
            deadline=self._deadline(context),
            traceparent=traceparent,
            correlation_id=_canonical_uuid(headers.get(CORRELATION_ID, "")),
        )

    def grpc_ends_it(self, context: AnyContext) -> bool:
        """Whether gRPC ends the call in time by itself, at the client's deadline; a timer of ours costs its share."""
        remaining: float | None = context.time_remaining()
        return remaining is not None and remaining <= self._longest_deadline()

    def _caller(self, request: Message) -> Caller:
        """Until there are keys, every canonical UUID is a project, and its name is all the proof."""
        if self._opens:
            if not request.HasField(OPENING):
                raise InvalidInput("the first message must be open", reason="OPEN_MISSING", field=OPENING)
            request = getattr(request, OPENING)
        project_id: str = request.project_id  # type: ignore[attr-defined]
        if not project_id and self.name != WHOLE_STORE:
            raise InvalidInput("must name a project", reason="PROJECT_MISSING", field="project_id")
        return Caller(project_id)

    def _deadline(self, context: AnyContext) -> float | None:
        remaining: float | None = context.time_remaining()
        if self._answers_once:
            remaining = min(self._default_deadline() if remaining is None else remaining, self._longest_deadline())
        return None if remaining is None else asyncio.get_running_loop().time() + remaining

    def _default_deadline(self) -> float:
        return self._allowance.default_deadline if self._allowance else DEFAULT_DEADLINE

    def _longest_deadline(self) -> float:
        return self._allowance.longest_deadline if self._allowance else LONGEST_DEADLINE


def _names_project_in_opening(request: Descriptor) -> bool:
    """Whether the project stands in `open` instead of in the request itself.

    Raises:
        ValueError: the request names no project at all, so nobody could say whose call it is.
    """
    if "project_id" in request.fields_by_name:
        return False
    opening = request.fields_by_name.get(OPENING)
    message = None if opening is None else opening.message_type
    if message is None or "project_id" not in message.fields_by_name:
        raise ValueError(f"{request.full_name} names no project")
    return True


def headers_of(context: AnyContext) -> dict[str, str]:
    """The call's text metadata."""
    return {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}


def _canonical_uuid(text: str) -> str:
    """The text if it is a UUID, in canonical form, or an empty string: it goes to logs and to every consumer."""
    try:
        return str(uuid.UUID(text)) if text else ""
    except ValueError:
        return ""
