"""What comes with a command from outside: where it came from, how a repeat is recognised, and until when it matters."""

from dataclasses import dataclass

from cortex_eventing.ports import RequestKey
from cortex_eventing.recorded import Origin
from google.protobuf.message import Message

from cortex_runtime.caller import call_of
from cortex_runtime.requests import origin_of, request_key


@dataclass(frozen=True)
class Asked:
    """How a command was asked for.

    Attributes:
        origin: whose project, who asked, and what caused it.
        key: how a repeat is recognised; None for a request that carries no id.
        deadline: until when the answer is wanted, in the event loop's time; None for as long as it takes.
    """

    origin: Origin
    key: RequestKey | None = None
    deadline: float | None = None


def asked(request: Message, context: object) -> Asked:
    """How a handler's request was asked for."""
    call = call_of(context)
    return Asked(origin_of(context), request_key(call.method, request), call.deadline)
