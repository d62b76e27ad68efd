"""`cortex transcribe` as a process of its own, on the shipped model: its end, and its neighbours in a pipe."""

import json
import signal
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.integration

RATE = 16_000
CORTEX = [sys.executable, "-m", "cortex_cli"]
WITHIN_S = 60


def recording(path: Path, seconds: int) -> Path:
    """Noise, which takes its time and says nothing."""
    noise = np.random.default_rng(3).normal(scale=3_000, size=seconds * RATE).astype("<i2")
    with wave.open(str(path), "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(2)
        made.setframerate(RATE)
        made.writeframes(noise.tobytes())
    return path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_in_one_line(tmp_path: Path, number: signal.Signals) -> None:
    """What was heard so far is written; then it ends without a stack trace, as shells expect it."""
    files = [recording(tmp_path / "short.wav", 1), recording(tmp_path / "long.wav", 900)]
    with subprocess.Popen(
        [*CORTEX, "transcribe", "--json", *files], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        process.send_signal(number)
        rest, error = process.communicate(timeout=WITHIN_S)
    assert (first["duration"], first["text"]) == (1.0, "")
    assert rest == ""
    assert error == "cortex: stopped\n"
    assert process.returncode == 130


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    """`cortex ... | head -1` ends quietly."""
    files = [recording(tmp_path / f"{n}.wav", 1) for n in range(3)]
    with subprocess.Popen(
        [*CORTEX, "transcribe", "--json", *files], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        _, error = process.communicate(timeout=WITHIN_S)
    assert error == ""
    assert process.returncode == 0


def test_a_missing_model_says_what_to_run(tmp_path: Path) -> None:
    """The first thing a newcomer may see is a remedy."""
    short = recording(tmp_path / "short.wav", 1)
    done = subprocess.run(
        [*CORTEX, "transcribe", "--model-dir", tmp_path, short], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert "make setup" in done.stderr
