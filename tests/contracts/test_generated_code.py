"""The committed contracts are what protos/ gives."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.contracts

ROOT = Path(__file__).parents[2]


def test_generated_code_is_current_linted_and_compatible() -> None:
    """Generating anew changes nothing, the lint passes, and no released message or field is broken."""
    done = subprocess.run(
        [sys.executable, "scripts/protos.py", "check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
