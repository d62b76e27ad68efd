"""How every model of this service is loaded on onnxruntime."""

from pathlib import Path
from typing import Final

import onnxruntime

ERRORS_ONLY: Final = 3
"""Severity from which onnxruntime speaks: its warnings about unused initialisers say nothing to an operator."""


def session_options() -> onnxruntime.SessionOptions:
    """One thread a call: parallelism comes from the scheduler's workers, so that no call waits for a pool."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = ERRORS_ONLY
    return options


def load_session(model: Path | bytes) -> onnxruntime.InferenceSession:
    """One session per model (a file, or its content) and process; `run` may be called from several threads at once."""
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, session_options(), providers=["CPUExecutionProvider"])
