"""`cortex transcribe FILE...`: recordings in, text out."""

import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from cortex_cli.complaint import Complaint, complain
from cortex_cli.formats import ENDINGS, Format, written
from cortex_cli.ports import Hearer
from cortex_cli.progress import shown
from cortex_cli.transcript import Transcript

SUBTITLES = (Format.SRT, Format.VTT)


@dataclass(frozen=True)
class Wanted:
    """What is to be heard, and how it is written.

    Attributes:
        files: recordings.
        form: of the output.
        output: the folder that each transcript is written into; None for standard output.
        quiet: show no progress.
    """

    files: Sequence[Path]
    form: Format
    output: Path | None
    quiet: bool

    def require_possible(self) -> None:
        """Refuse, before anything is heard, what could not be written. Raises Complaint."""
        if self.output is None:
            if self.form in SUBTITLES and len(self.files) > 1:
                raise Complaint("subtitles of several files do not fit into one stream", "name a folder with --output")
            return
        if self.output.exists() and not self.output.is_dir():
            raise Complaint(f"{self.output} is no folder", "name a folder with --output")
        targets = [self._target(file) for file in self.files]
        twice = next((target for target in targets if targets.count(target) > 1), None)
        if twice:
            raise Complaint(f"two files would both be written to {twice}", "transcribe them one by one")

    def write(self, transcript: Transcript, file: Path) -> None:
        """Write one transcript where it belongs."""
        if self.output is None:
            sys.stdout.write(self._titled(transcript))
            sys.stdout.flush()
            return
        try:
            self.output.mkdir(parents=True, exist_ok=True)
            self._target(file).write_text(written(transcript, self.form), encoding="utf-8")
        except OSError as error:
            raise Complaint(f"{self._target(file)} cannot be written: {error.strerror}") from error

    def _titled(self, transcript: Transcript) -> str:
        body = written(transcript, self.form)
        return f"{transcript.file}:\n{body}\n" if self.form is Format.TEXT and len(self.files) > 1 else body

    def _target(self, file: Path) -> Path:
        return (self.output or Path()) / f"{file.stem}{ENDINGS[self.form]}"


async def transcribe(wanted: Wanted, hearing: AbstractAsyncContextManager[Hearer]) -> bool:
    """Hear every file; one that cannot be heard is complained about and does not keep the others from it.

    Returns:
        Whether all of them were heard.

    Raises:
        Complaint: nothing can be heard at all.
    """
    wanted.require_possible()
    heard = 0
    async with hearing as hearer:
        for file in wanted.files:
            try:
                wanted.write(await _heard(file, hearer, quiet=wanted.quiet), file)
            except Complaint as complaint:
                complain(Complaint(f"{file}: {complaint.what}", complaint.hint))
            else:
                heard += 1
    return heard == len(wanted.files)


async def _heard(file: Path, hearer: Hearer, *, quiet: bool) -> Transcript:
    with shown(file.name, quiet=quiet) as told:
        heard = await hearer.hear(_read(file), told)
    return Transcript(str(file), heard.duration, heard.utterances)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Complaint(f"cannot be read: {error.strerror}", "is the name right?") from error
