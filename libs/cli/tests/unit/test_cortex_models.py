"""`cortex models`: what is there, whether it is whole, and how one is fetched."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import huggingface_hub
import pytest
from cortex_cli.__main__ import main
from cortex_testkit.tiny_models import nemo_conformer_ctc
from cortex_transcriber.adapters.model_directory import describe, load_recogniser

pytestmark = pytest.mark.unit

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models with a tiny one."""
    monkeypatch.setenv("CORTEX_MODELS_DIR", str(tmp_path))
    tiny = tmp_path / "tiny"
    tiny.mkdir()
    nemo_conformer_ctc(tiny)
    describe(tiny, "tiny", "nemo-conformer-ctc", "en")
    (tmp_path / "no-model").mkdir()
    return tmp_path


def test_models_are_listed(folder: Path, capsys: Captured) -> None:
    """Name, language, family, size and place of each, for people and for programs."""
    assert main(["models", "list"]) == 0
    assert "nemo-conformer-ctc" in capsys.readouterr().out
    assert main(["models", "list", "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    assert found["bytes"] == sum(p.stat().st_size for p in (folder / "tiny").iterdir() if p.name != "manifest.json")
    assert {**found, "bytes": 0} == {
        "name": "tiny",
        "language": "en",
        "family": "nemo-conformer-ctc",
        "bytes": 0,
        "directory": str(folder / "tiny"),
    }


def test_an_empty_folder_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    """A newcomer without a model is told how to get one; a program gets no lines."""
    monkeypatch.setenv("CORTEX_MODELS_DIR", str(tmp_path))
    assert main(["models", "list"]) == 2
    assert "make setup" in capsys.readouterr().err
    assert main(["models", "list", "--json"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_whole_model_is_whole(folder: Path, capsys: Captured) -> None:
    """Every file has its sha256."""
    assert main(["models", "check", str(folder / "tiny"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["name"], found["files"], found["whole"]) == ("tiny", 2, True)


def refusal(folder: Path, capsys: Captured) -> str:
    """The one line that a check ends with."""
    assert main(["models", "check", str(folder / "tiny")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    return line


def test_a_damaged_model_is_told(folder: Path, capsys: Captured) -> None:
    """A changed byte, an additional file and a missing one are named, with what to do."""
    (folder / "tiny" / "vocab.txt").write_text("changed")
    assert "vocab.txt is damaged (fetch the model again" in refusal(folder, capsys)
    (folder / "tiny" / "extra.onnx").write_text("extra")
    assert "extra.onnx is not in manifest.json" in refusal(folder, capsys)
    (folder / "tiny" / "extra.onnx").unlink()
    (folder / "tiny" / "vocab.txt").unlink()
    assert "vocab.txt is missing" in refusal(folder, capsys)


def test_a_model_that_points_outside_is_refused(folder: Path, capsys: Captured) -> None:
    """A link out of the directory, or a path with dots, reads nobody else's files."""
    vocabulary = folder / "tiny" / "vocab.txt"
    outside = folder / "outside.txt"
    vocabulary.rename(outside)
    vocabulary.symlink_to(outside)
    assert "vocab.txt points outside the directory" in refusal(folder, capsys)
    manifest = folder / "tiny" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"vocab.txt"', '"../outside.txt"'))
    assert "lies outside the directory" in refusal(folder, capsys)


def test_an_unknown_name_is_told_from_the_known(folder: Path, capsys: Captured) -> None:
    """The names that can be fetched are in the hint."""
    assert main(["models", "fetch", "parrot", "--into", str(folder)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("cortex: there is no model parrot (")
    assert "whisper-base" in error


def test_a_model_is_never_overwritten(folder: Path, capsys: Captured) -> None:
    """What lies where the model would go stays as it is."""
    (folder / "whisper-base").mkdir()
    assert main(["models", "fetch", "whisper-base", "--into", str(folder)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_without_a_hub_nothing_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    """No network is said in one line, and leaves no half a model behind."""

    def away(*_: object, **__: object) -> str:
        raise ConnectionError("no route to a host whose name is nobody's business")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", away)
    assert main(["models", "fetch", "nemo-parakeet-ctc-0.6b", "--into", str(folder)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "the model hub cannot be reached" in line
    assert "nobody's business" not in line
    assert sorted(path.name for path in folder.iterdir()) == ["no-model", "tiny"]


def test_a_fetched_model_is_described_and_loads(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """What a hub gives becomes a directory with a manifest that the transcriber verifies and loads."""

    def download(_repository: str, *, local_dir: Path, allow_patterns: Sequence[str], **_: object) -> str:
        assert "vocab.txt" in allow_patterns
        shutil.copytree(folder / "tiny", local_dir, ignore=shutil.ignore_patterns("manifest.json"))
        (local_dir / ".cache").mkdir()
        return str(local_dir)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert main(["models", "fetch", "nemo-parakeet-ctc-0.6b", "--into", str(folder), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["name"], made["family"], made["language"]) == ("nemo-parakeet-ctc-0.6b", "nemo-conformer-ctc", "en")
    assert load_recogniser(Path(made["directory"])).family == "nemo-conformer-ctc"
