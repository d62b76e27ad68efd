"""The operators' HTTP server: Prometheus metrics, in a thread of its own so that a busy loop is still seen."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server

from cortex_runtime.failures import CannotStart
from cortex_runtime.settings import AdminSettings


@contextmanager
def admin_http(settings: AdminSettings) -> Iterator[int | None]:
    """Serve `/metrics` while the context lasts; the port, or None when the settings name none.

    Raises:
        CannotStart: the port is taken.
    """
    if settings.port is None:
        yield None
        return
    try:
        server, thread = start_http_server(settings.port, addr=settings.host)
    except OSError as error:
        raise CannotStart(f"CORTEX_ADMIN_PORT: cannot listen on port {settings.port}: {error.strerror}") from error
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
