"""The log: one JSON object a line on standard error, without personal data.

Every line has an `action`, a constant word of ours, and values under the keys of `SAFE_KEYS` only. What stands under
any other key is left out and its key named under `withheld`, so that a careless line loses information instead of
telling somebody's name. Exceptions appear as type and frames, never with their text; lines of other libraries as the
place that wrote them. Only `cortex_eventing` is believed: its lines name roles, streams and positions, and what an
operator should do, and stand under `what`.
"""

import logging
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any, TextIO

import structlog

from cortex_runtime.failures import frames_of, leaves, type_of

SAFE_KEYS = frozenset(
    {
        "action",
        "aggregate_id",
        "attempt",
        "batch",
        "code",
        "condition",
        "correlation_id",
        "count",
        "error_type",
        "errors",
        "event_id",
        "failpoint",
        "field",
        "frames",
        "level",
        "logger",
        "method",
        "migration",
        "model",
        "package",
        "participant_id",
        "place",
        "port",
        "position",
        "project_id",
        "reaction",
        "read_model",
        "reason",
        "request_id",
        "retry_in",
        "role",
        "sequence",
        "service",
        "session_id",
        "signal",
        "speed",
        "stream",
        "threads",
        "time",
        "topic",
        "took",
        "trace_id",
        "utterance_id",
        "what",
        "workers",
    }
)
_LONGEST_TEXT = 500  # no id or word of ours is longer, and no alarm with what to do about it
_BELIEVED = "cortex_eventing"  # ours, on the standard log; nothing that people said stands in its lines
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

Line = MutableMapping[str, Any]


def log() -> structlog.typing.FilteringBoundLogger:
    """The log to write to: `log().info("stream_opened", session_id=...)`."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger


def configure(service: str, level: str = "info", *, safe_keys: Iterable[str] = (), file: TextIO | None = None) -> None:
    """Write lines as this page says, from now on and for the whole process.

    Args:
        service: named in every line.
        level: the least severe line that is written: debug, info, warning or error.
        safe_keys: more keys whose values never are personal data.
        file: where to, as a rule standard error.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", key="time"),
            structlog.processors.EventRenamer("action"),
            _Named(service),
            _describe_exception,
            _Withhold(SAFE_KEYS.union(safe_keys)),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file or sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_OtherLibraries()], level=logging.WARNING, force=True)


class _Named:
    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self, _logger: object, _method: str, line: Line) -> Line:
        line["service"] = self._service
        return line


def _describe_exception(_logger: object, _method: str, line: Line) -> Line:
    error = line.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        all_of_them = list(leaves(error))
        line["error_type"] = type_of(all_of_them[0])
        line["frames"] = frames_of(all_of_them[0])
        if len(all_of_them) > 1:
            line["errors"] = [type_of(one) for one in all_of_them]
    return line


class _Withhold:
    """Keeps what stands under safe keys and is short; names the other keys."""

    def __init__(self, safe_keys: frozenset[str]) -> None:
        self._safe_keys = safe_keys

    def __call__(self, _logger: object, _method: str, line: Line) -> Line:
        kept = {key: value for key, value in line.items() if key in self._safe_keys and _is_short(value)}
        withheld = sorted(line.keys() - kept.keys())
        return {**kept, "withheld": withheld} if withheld else kept


def _is_short(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_short(item) for item in value)
    if isinstance(value, str):
        return len(value) <= _LONGEST_TEXT
    return value is None or isinstance(value, int | float)


class _OtherLibraries(logging.Handler):
    """Lines of libraries: of foreign ones only the place that wrote them, since nobody knows what their texts hold."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        place = f"{record.module}:{record.lineno}"
        write = log().error if record.levelno >= logging.ERROR else log().warning
        if record.name.partition(".")[0] == _BELIEVED:
            write("eventing", what=record.getMessage(), place=place, exc_info=error)
        else:
            write("library_line", logger=record.name, place=place, exc_info=error)
