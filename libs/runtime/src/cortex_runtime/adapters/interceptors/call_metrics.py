"""Metrics of calls, named as grpc-prometheus names them so that its dashboards work."""

from functools import cache

import grpc
from prometheus_client import Counter, Gauge, Histogram

_METHOD = ("grpc_type", "grpc_service", "grpc_method")
_STARTED = Counter("grpc_server_started_total", "Calls begun.", _METHOD)
_HANDLED = Counter("grpc_server_handled_total", "Calls ended, by status.", (*_METHOD, "grpc_code"))
_SECONDS = Histogram("grpc_server_handling_seconds", "How long calls took.", _METHOD)
_RUNNING = Gauge("grpc_server_in_flight", "Calls that have begun and not ended.", _METHOD)


class CallMetrics:
    """The metrics of one method."""

    def __init__(self, kind: str, service: str, method: str) -> None:
        self._labels = (kind, service, method)
        self._started = _STARTED.labels(*self._labels)
        self._seconds = _SECONDS.labels(*self._labels)
        self._running = _RUNNING.labels(*self._labels)
        self._handled = cache(lambda code: _HANDLED.labels(*self._labels, code.name))

    def began(self) -> None:
        """A call began."""
        self._started.inc()
        self._running.inc()

    def ended(self, code: grpc.StatusCode, seconds: float) -> None:
        """A call ended."""
        self._running.dec()
        self._handled(code).inc()
        self._seconds.observe(seconds)
