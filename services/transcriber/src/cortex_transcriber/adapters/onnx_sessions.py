"""How every model of this service is loaded on onnxruntime."""

from pathlib import Path
from typing import Final

import onnxruntime

ERRORS_ONLY: Final = 3
"""Severity from which onnxruntime speaks: its warnings about unused initialisers say nothing to an operator."""


def session_options(threads: int = 1) -> onnxruntime.SessionOptions:
    """Usually one thread a call: parallelism comes from the scheduler's workers, so that no call waits for a pool.

    Threads beyond it sleep while they have nothing to do: spinning, as onnxruntime likes it, would take the cores from
    the other workers and from the event loop.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.inter_op_num_threads = 1
    options.log_severity_level = ERRORS_ONLY
    return options


def load_session(model: Path | bytes, threads: int = 1) -> onnxruntime.InferenceSession:
    """One session per model (a file, or its content) and process; `run` may be called from several threads at once."""
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, session_options(threads), providers=["CPUExecutionProvider"])
