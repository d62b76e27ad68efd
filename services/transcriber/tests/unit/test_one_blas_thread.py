"""The service's processes do not let OpenBLAS start threads of its own."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.unit

LOADED = """
import cortex_transcriber.__main__, os, sys
loaded = list(sys.modules)
print(os.environ["OPENBLAS_NUM_THREADS"], loaded.index("cortex_transcriber.one_blas_thread") < loaded.index("numpy"))
"""


def test_it_is_said_before_numpy_is_there() -> None:
    """OpenBLAS reads the variable when it is loaded: nothing that the service imports first may load it."""
    said = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["1", "True"]
