"""One span for every call, linked to the caller's, without texts of errors."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import grpc
from opentelemetry import propagate, trace

from cortex_runtime.telemetry import tracing_is_on

_STATUS = "rpc.grpc.status_code"


def span(service: str, method: str, headers: Mapping[str, str]) -> AbstractContextManager[Any]:
    """The span of one call."""
    return trace.get_tracer("cortex.grpc").start_as_current_span(
        f"{service}/{method}",
        context=propagate.extract(headers),
        kind=trace.SpanKind.SERVER,
        attributes={"rpc.system": "grpc", "rpc.service": service, "rpc.method": method},
        record_exception=False,
        set_status_on_exception=False,
    )


def conclude(code: grpc.StatusCode) -> None:
    """Say how the call that we are in ended."""
    if not tracing_is_on():
        return
    current = trace.get_current_span()
    if current.is_recording():
        current.set_attribute(_STATUS, code.value[0])
        if code is grpc.StatusCode.INTERNAL:
            current.set_status(trace.StatusCode.ERROR)
