"""`cortex` as a person meets it: help, and wrong use in one line."""

import io
import re
import wave
from collections.abc import Iterable

import pytest
from cortex_cli.__main__ import main

pytestmark = pytest.mark.unit

COLOURS = re.compile(r"\x1b\[[0-9;]*m")

Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--help"], ["transcribe", "models", "--version"]),
        (["transcribe", "--help"], ["--service", "--json", "--format", "--output", "--model-dir"]),
        (["models", "-h"], ["list", "fetch", "check"]),
        (["models", "fetch", "--help"], ["NAME", "--into", "--json"]),
        (["models", "check", "--help"], ["DIR", "--json"]),
        (["models", "list", "--help"], ["--service", "--json"]),
        (["--version"], ["cortex 0."]),
    ],
)
def test_help_tells(
    arguments: list[str], told: Iterable[str], capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command says what it takes; every one that tells something has --json."""
    monkeypatch.setenv("COLUMNS", "100")
    assert main(arguments) == 0
    shown = COLOURS.sub("", capsys.readouterr().out)
    assert [word for word in told if word not in shown] == []


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["sing"], "cortex: No such command 'sing' (see `cortex --help`)"),
        (["transcribe"], "cortex: Missing argument 'FILE' (see `cortex transcribe --help`)"),
        (
            ["transcribe", "--service", "here", "a.wav"],
            (
                "cortex: Invalid value for '--service': must be HOST:PORT, for example 127.0.0.1:7003 "
                "(see `cortex transcribe --help`)"
            ),
        ),
        (
            ["transcribe", "--project", "mine", "--service", "127.0.0.1:1", "a.wav"],
            (
                "cortex: Invalid value for '--project' (env var: 'CORTEX_PROJECT_ID'): must be a UUID "
                "(see `cortex transcribe --help`)"
            ),
        ),
        (
            ["models", "check", "/nowhere"],
            (
                "cortex: the speech model in /nowhere cannot be used: manifest.json cannot be read "
                "(run `make setup`, or let CORTEX_MODEL_DIR or CORTEX_MODEL_MORE_DIRS name another directory)"
            ),
        ),
    ],
)
def test_wrong_use_is_one_line(arguments: list[str], line: str, capsys: Captured) -> None:
    """What is wrong and a hint, on standard error, and the status of wrong use."""
    assert main(arguments) == 2
    assert capsys.readouterr() == ("", f"{line}\n")


def test_a_service_that_is_away_is_one_line(tmp_path_factory: pytest.TempPathFactory, capsys: Captured) -> None:
    """Nobody listens there: what to do about it stands in the hint."""
    recording = tmp_path_factory.mktemp("away") / "a.wav"
    recording.write_bytes(b"RIFF")
    assert main(["transcribe", "--service", "127.0.0.1:1", str(recording)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        f"cortex: {recording}: the service at 127.0.0.1:1 cannot be reached (is it running? `make up` starts one)"
    ]


def test_refused_files_are_told_with_a_remedy(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """A file of another kind, one that is cut off and an empty one: each has one line, and the first two a hint."""
    monkeypatch.setenv("CORTEX_MODEL_RECOGNISER", "scripted")
    folder = tmp_path_factory.mktemp("refused")
    contents = {"song.mp3": b"ID3" + bytes(50), "half.wav": cut_off_wav(), "none.flac": b""}
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    assert main(["transcribe", *(str(folder / name) for name in contents)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert [line.removeprefix(f"cortex: {folder}/") for line in captured.err.splitlines()] == [
        "song.mp3: must be a WAV, FLAC or Ogg Opus file (`ffmpeg -i IN out.flac` makes one)",
        (
            "half.wav: must be whole: the file is cut off, it promises more audio than it holds "
            "(copy it again from where it was recorded)"
        ),
        "none.flac: must not be empty",
    ]


def cut_off_wav() -> bytes:
    """A second of 16 kHz, half of which is there."""
    made = io.BytesIO()
    with wave.open(made, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(16_000)
        recording.writeframes(bytes(32_000))
    return made.getvalue()[:16_000]
