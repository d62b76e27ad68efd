"""Who calls, and what is known of the call before a handler sees it.

Until there are keys the project that a request names is the caller's project. Handlers never read `project_id` from a
request: they ask for the `Caller`, which keys will fill in later without a change to any handler.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Caller:
    """Whom a call is made for.

    Attributes:
        project_id: the project as canonical text; empty for one of our own services, which sees every project.
        actor: who asked, for instance a key's id; never a name. Empty until there are keys.
    """

    project_id: str
    actor: str = ""

    @property
    def is_service(self) -> bool:
        """Whether the caller is one of our own services."""
        return not self.project_id


@dataclass(frozen=True)
class Call:
    """One call, as the interceptor admitted it.

    Attributes:
        method: the RPC's own name, for example `CreateSession`.
        domain: the service as errors name it, for example `cortex.session`.
        caller: whom it is made for.
        request_id: the caller's id of the request, or an empty string.
        deadline: by when it must be answered, in the event loop's time (that of `time.monotonic`); None for streams
            whose client set none.
        traceparent: the W3C trace context it came with, or an empty string.
        correlation_id: what the caller says belongs together, or an empty string.
    """

    method: str
    domain: str
    caller: Caller
    request_id: str = ""
    deadline: float | None = None
    traceparent: str = ""
    correlation_id: str = ""


def call_of(context: object) -> Call:
    """The call that a handler's context stands for.

    Raises:
        TypeError: the context did not come through the interceptor, so nobody checked anything.
    """
    call = getattr(context, "call", None)
    if not isinstance(call, Call):
        raise TypeError("this context did not come through the interceptor")
    return call


def caller_of(context: object) -> Caller:
    """Whom a handler's call is made for."""
    return call_of(context).caller


def deadline_of(context: object) -> float | None:
    """By when a handler must have answered, in the event loop's time; None when it may take as long as it likes."""
    return call_of(context).deadline
