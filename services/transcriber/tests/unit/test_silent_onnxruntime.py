"""The recogniser's runtime does not talk to its maker."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.unit

THREADS = """
import os
import cortex_transcriber.one_blas_thread, numpy
before = len(os.listdir("/proc/self/task"))
import cortex_transcriber.adapters.onnx_sessions
print(os.environ["ORT_DISABLE_TELEMETRY"], len(os.listdir("/proc/self/task")) - before)
"""


def test_it_starts_no_threads_that_send() -> None:
    """The variable is read when it is loaded: whatever of the service is imported first has set it by then."""
    said = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["1", "0"]
