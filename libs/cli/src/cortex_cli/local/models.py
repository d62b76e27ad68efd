"""The models in folders of this machine."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cortex_transcriber.adapters.model_directory import ModelUnusable, verify
from cortex_transcriber.adapters.model_hub import HUB, HubAway, fetch, folder_name
from cortex_transcriber.settings import SHIPPED_MODEL
from cortex_transcriber.speech.manifest import FILE_NAME, Manifest, ManifestError, parse

from cortex_cli.complaint import Complaint

FOLDER = "CORTEX_MODELS_DIR"
"""The variable that names the folder of models."""


@dataclass(frozen=True)
class Installed:
    """A model in a directory."""

    directory: Path
    manifest: Manifest

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(path.stat().st_size for name in self.manifest.files if (path := self.directory / name).is_file())


def models_folder(named: Path | None = None) -> Path:
    """Where models lie: as named, as the environment says, or beside the one that comes with the installation."""
    return named or Path(os.environ.get(FOLDER) or SHIPPED_MODEL.parent)


def installed(folder: Path) -> Iterator[Installed]:
    """The directories of a folder that say that they hold a model, by name; not whether that is so."""
    for manifest in sorted(folder.glob(f"*/{FILE_NAME}")):
        try:
            yield Installed(manifest.parent, parse(manifest.read_text()))
        except (OSError, UnicodeDecodeError, ManifestError):
            continue


def check(directory: Path) -> Installed:
    """Verify every file of a model. Raises Complaint."""
    try:
        return Installed(directory, verify(directory))
    except ModelUnusable as error:
        what, _, hint = str(error).partition("; ")
        raise Complaint(what, hint) from error


def get(name: str, into: Path, quantization: str) -> Installed:
    """Download a model and check it. Raises Complaint."""
    if name not in HUB:
        raise Complaint(f"there is no model {name}", f"one of {', '.join(HUB)}")
    directory = into / folder_name(name)
    if directory.exists():
        raise Complaint(f"{directory} exists already", "see `cortex models check`, or name another folder with --into")
    try:
        manifest = fetch(name, directory, quantization)
    except HubAway as error:
        raise Complaint(
            f"{name} could not be downloaded: {error}",
            "it needs a network that reaches the model hub; a model got elsewhere is described by a manifest.json",
        ) from error
    except OSError as error:
        raise Complaint(f"{directory} cannot be written: {error.strerror}", "name another with --into") from error
    return Installed(directory, manifest)
