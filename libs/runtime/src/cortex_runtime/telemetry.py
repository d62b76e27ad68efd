"""Traces: off unless an exporter is configured; then one span for every call, linked to the caller's."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import entry_points

from opentelemetry import propagate, trace
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from cortex_runtime.failures import CannotStart

TRACEPARENT = "traceparent"
_EXPORTERS = "opentelemetry_traces_exporter"  # the group under which installed exporters announce themselves
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class _Tracing:
    on = False


_tracing = _Tracing()


@contextmanager
def traces(exporter: str, service: str) -> Iterator[None]:
    """Export spans under this service's name while the context lasts; nothing at all without an exporter.

    Raises:
        CannotStart: no exporter of that name is installed.
    """
    if not exporter:
        yield
        return
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: service}))
    provider.add_span_processor(BatchSpanProcessor(_exporter(exporter)))
    trace.set_tracer_provider(provider)
    _tracing.on = True
    try:
        yield
    finally:
        _tracing.on = False
        provider.shutdown()


def tracing_is_on() -> bool:
    """Whether spans go anywhere. Asked for every call, and OpenTelemetry's own answer reads the environment."""
    return _tracing.on


def traceparent_in(headers: Mapping[str, str]) -> str:
    """The W3C trace context that a call came with, or an empty string when it has none or a malformed one."""
    given = headers.get(TRACEPARENT, "")
    return given if _TRACEPARENT.fullmatch(given) else ""


def current_traceparent() -> str:
    """The trace context of the span we are in, or an empty string."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get(TRACEPARENT, "")


def _exporter(name: str) -> SpanExporter:
    found = entry_points(group=_EXPORTERS, name=name)
    if not found:
        installed = ", ".join(sorted(entry_points(group=_EXPORTERS).names)) or "none"
        raise CannotStart(f"CORTEX_TRACES_EXPORTER: no exporter named {name} is installed (installed: {installed})")
    exporter: SpanExporter = next(iter(found)).load()()
    return exporter
