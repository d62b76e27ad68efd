import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.model


def fetch(root: Path, folder: Path) -> str:
    """What the set-up's step prints for this folder."""
    command = [sys.executable, "scripts/fetch_model.py"]
    environment = {**os.environ, "CORTEX_MODEL_DIR": str(folder)}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True).stdout


def snapshot(folder: Path) -> dict[str, int]:
    """Every file, and when it was written."""
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_a_model_that_is_right_is_left_alone(pytestconfig: pytest.Config, model_directory: Path) -> None:
    """The second set-up says nothing and writes nothing."""
    before = snapshot(model_directory)
    assert fetch(pytestconfig.rootpath, model_directory) == ""
    assert snapshot(model_directory) == before


def test_somebody_elses_model_is_left_alone(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    """A folder that the set-up has not made is not overwritten, whatever lies in it."""
    (tmp_path / "model.onnx").write_text("mine")
    assert "left as it is" in fetch(pytestconfig.rootpath, tmp_path)
    (tmp_path / "manifest.json").write_text('{"name": "mine"}')
    before = snapshot(tmp_path)
    assert "left as it is" in fetch(pytestconfig.rootpath, tmp_path)
    assert snapshot(tmp_path) == before
