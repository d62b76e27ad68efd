"""How a call ends: whatever a handler raises becomes a status, a metric and, where it matters, a line in the log."""

import asyncio
import time
from datetime import timedelta
from types import TracebackType

import grpc
from cortex_eventing.errors import CortexError, Unavailable

from cortex_runtime.adapters.error_table import code_of, grpc_code, reason_of, status_of
from cortex_runtime.adapters.interceptors.admission import Admission
from cortex_runtime.adapters.interceptors.call_context import AnyContext
from cortex_runtime.adapters.interceptors.call_metrics import CallMetrics
from cortex_runtime.adapters.interceptors.drain import Drain
from cortex_runtime.adapters.interceptors.spans import conclude
from cortex_runtime.failures import leaves
from cortex_runtime.logs import log

DETAILS = "grpc-status-details-bin"  # the metadata key under which gRPC carries a google.rpc.Status
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class Outcome:
    """Watches one call: `async with Outcome(...)` around everything that is done for it."""

    __slots__ = ("_admission", "_began", "_context", "_drain", "_metrics")

    def __init__(self, admission: Admission, metrics: CallMetrics, context: AnyContext, drain: Drain) -> None:
        self._admission = admission
        self._metrics = metrics
        self._context = context
        self._drain = drain
        self._began = 0.0

    async def __aenter__(self) -> None:
        self._metrics.began()
        self._began = time.perf_counter()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, grpc.aio.AbortError):
            self._ended(_code_set_on(self._context))
        elif isinstance(error, asyncio.CancelledError) and self._drain.ended_this_call():
            await self._refuse(Unavailable("this server", retry_after=timedelta(0)))
        elif isinstance(error, Exception):
            await self._refuse(_told(error))
        else:
            self._ended(grpc.StatusCode.CANCELLED)

    async def _refuse(self, error: Exception) -> None:
        """End the call with the error's status: by `abort`, whose code whoever wraps the context can see."""
        code = code_of(error)
        self._ended(code)
        self._tell(error, code)
        status = status_of(error, self._admission.domain)
        await self._context.abort(grpc_code(status), status.message, ((DETAILS, status.SerializeToString()),))

    def _tell(self, error: Exception, code: grpc.StatusCode) -> None:
        if code is grpc.StatusCode.INTERNAL:
            log().error("call_failed", method=self._admission.name, exc_info=error)
        else:
            log().debug("call_refused", method=self._admission.name, code=code.name, reason=reason_of(error))

    def _ended(self, code: grpc.StatusCode) -> None:
        self._metrics.ended(code, time.perf_counter() - self._began)
        conclude(code)


def _told(error: Exception) -> Exception:
    """What the caller is told of: the error, or the first of a group when each of them is one of ours."""
    inner = list(leaves(error))
    known = isinstance(error, ExceptionGroup) and all(isinstance(one, CortexError) for one in inner)
    return inner[0] if known and isinstance(inner[0], Exception) else error


def _code_set_on(context: AnyContext) -> grpc.StatusCode:
    """The status that a handler set or aborted with by itself."""
    code = context.code()
    return code if isinstance(code, grpc.StatusCode) else _CODES.get(code or 0, grpc.StatusCode.UNKNOWN)
