"""`cortex transcribe` around whatever hears: files in, output where it belongs, complaints in one line."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cortex_cli.complaint import Complaint
from cortex_cli.formats import Format
from cortex_cli.ports import Heard, Told
from cortex_cli.transcribe import Wanted, transcribe
from cortex_cli.transcript import Utterance

pytestmark = pytest.mark.unit


class Echo:
    """Hears a file's bytes as its words, and nothing in empty ones."""

    async def hear(self, data: bytes, told: Told) -> Heard:
        """The bytes as text."""
        told(1.0, 2.0)
        if not data:
            raise Complaint("must not be empty", "record something")
        return Heard(2.0, (Utterance(0.5, 1.5, data.decode(), 0.75),))


@asynccontextmanager
async def echoing() -> AsyncIterator[Echo]:
    yield Echo()


def heard(*files: Path, form: Format = Format.TEXT, output: Path | None = None) -> bool:
    return asyncio.run(transcribe(Wanted(files, form, output, quiet=False), echoing()))


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two recordings."""
    made = [tmp_path / "one.wav", tmp_path / "two.wav"]
    for path in made:
        path.write_text(path.stem)
    return made


def test_one_file_is_plain_text(files: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    """The words and nothing else are on standard output, and no progress where nobody watches."""
    assert heard(files[0])
    assert capsys.readouterr() == ("one\n", "")


def test_several_files_have_titles(files: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Texts of several files can be told apart."""
    assert heard(*files)
    assert capsys.readouterr().out == f"{files[0]}:\none\n\n{files[1]}:\ntwo\n\n"


def test_json_has_a_line_for_each_file(files: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    """A program reads object after object."""
    assert heard(*files, form=Format.JSON)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["file"] for line in lines] == [str(file) for file in files]
    assert lines[0]["utterances"] == [{"start": 0.5, "end": 1.5, "text": "one", "confidence": 0.75}]


def test_a_folder_gets_a_file_for_each(files: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Subtitles of several files are written beside each other."""
    assert heard(*files, form=Format.VTT, output=tmp_path / "subtitles")
    assert capsys.readouterr().out == ""
    assert sorted(path.name for path in (tmp_path / "subtitles").iterdir()) == ["one.vtt", "two.vtt"]
    assert (tmp_path / "subtitles" / "two.vtt").read_text().endswith("two\n")


def test_a_bad_file_does_not_keep_the_others(files: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Each file that cannot be heard has its line, the others their text."""
    files[0].write_bytes(b"")
    assert not heard(files[0], files[0].with_name("missing.wav"), files[1], form=Format.TEXT)
    captured = capsys.readouterr()
    assert captured.out == f"{files[1]}:\ntwo\n\n"
    first, second = captured.err.splitlines()
    assert first == f"cortex: {files[0]}: must not be empty (record something)"
    assert "missing.wav: cannot be read: No such file or directory" in second


def test_what_cannot_be_written_is_not_heard(files: list[Path], tmp_path: Path) -> None:
    """Subtitles of two files in one stream, two files of one name, a folder that is a file: said before the work."""
    with pytest.raises(Complaint, match="--output"):
        heard(*files, form=Format.SRT)
    (tmp_path / "other").mkdir()
    twin = tmp_path / "other" / "one.wav"
    with pytest.raises(Complaint, match=r"both be written to .*one.txt"):
        heard(files[0], twin, output=tmp_path / "out")
    with pytest.raises(Complaint, match="no folder"):
        heard(files[0], output=files[1])
