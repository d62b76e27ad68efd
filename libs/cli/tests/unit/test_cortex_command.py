"""`cortex` as a person meets it: help, and wrong use in one line."""

from collections.abc import Iterable

import pytest
from cortex_cli.__main__ import main

pytestmark = pytest.mark.unit

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
def test_help_tells(arguments: list[str], told: Iterable[str], capsys: Captured) -> None:
    """Each command says what it takes; every one that tells something has --json."""
    assert main(arguments) == 0
    shown = capsys.readouterr().out
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
                "(run `make setup`, or let CORTEX_MODEL_DIR name another directory)"
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
