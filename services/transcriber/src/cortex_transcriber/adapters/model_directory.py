"""A directory that holds a model: verified against its manifest, then loaded by the adapter of its family."""

import contextlib
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from onnx_asr.utils import ModelLoadingError

from cortex_transcriber.adapters.moonshine import MoonshineRecogniser
from cortex_transcriber.adapters.onnx_asr_recogniser import FAMILIES, OnnxAsrRecogniser, files_of, load_onnx_asr
from cortex_transcriber.shipped_model import MANIFEST as SHIPPED
from cortex_transcriber.speech import manifest as manifests
from cortex_transcriber.speech.manifest import Manifest, ManifestError

READ_SIZE: Final = 1 << 20
"""Bytes hashed at once: models may be larger than memory should hold twice."""


class ModelUnusable(RuntimeError):
    """A model directory that is missing or damaged; the message says what to run."""

    def __init__(self, directory: Path, reason: str, name: str = SHIPPED.name) -> None:
        remedy = "run `make setup`" if name == SHIPPED.name else "fetch the model again"
        super().__init__(
            f"the speech model in {directory} cannot be used: {reason}; "
            f"{remedy}, or let CORTEX_MODEL_DIR or CORTEX_MODEL_MORE_DIRS name another directory"
        )


def load_recogniser(directory: Path) -> MoonshineRecogniser | OnnxAsrRecogniser:
    """Verify every file of the directory, then load the model.

    Raises:
        ModelUnusable: the directory is missing or damaged, or its model cannot be loaded.
    """
    return load_verified(directory, verify(directory))


def load_verified(directory: Path, manifest: Manifest, threads: int = 1) -> MoonshineRecogniser | OnnxAsrRecogniser:
    """Load the model of a directory that was found to be what its manifest says, to run on so many threads.

    Raises:
        ModelUnusable: its model cannot be loaded.
    """
    try:
        if manifest.family == SHIPPED.family:
            return MoonshineRecogniser(directory, manifest, threads)
        return load_onnx_asr(directory, manifest, threads)
    except Exception as error:
        # Runtimes raise what they like for a file that is no model.
        raise ModelUnusable(directory, f"{manifest.family} could not load it: {error}", manifest.name) from error


def verify(directory: Path) -> Manifest:
    """Read the manifest and check the sha256 of each file that it names.

    Raises:
        ModelUnusable: something is missing, differs, or lies outside the directory.
    """
    manifest = read_manifest(directory)
    there = _beside(directory, [directory / name for name in manifest.files])
    for extra in sorted(set(there) - set(manifest.files)):
        raise ModelUnusable(directory, f"{extra} is not in {manifests.FILE_NAME}", manifest.name)
    for path, digest in manifest.files.items():
        _check(directory, path, digest, manifest.name)
    return manifest


def describe(directory: Path, name: str, family: str, language: str, quantization: str = "") -> Manifest:
    """Write the manifest of a directory that has none, with the sha256 that its files have now.

    Args:
        directory: of the model.
        name: of the model.
        family: what loads it.
        language: BCP-47 tag, empty for several.
        quantization: suffix of its files.
    """
    names = _beside(directory, _taken(directory, family, quantization))
    manifest = Manifest(name, family, language, {name: _sha256(directory / name) for name in names}, quantization)
    (directory / manifests.FILE_NAME).write_text(manifest.to_json())
    return manifest


def _taken(directory: Path, family: str, quantization: str) -> list[Path]:
    """What the family's loader would take; nothing where it cannot, which loading will tell."""
    if family not in FAMILIES:
        return []
    with contextlib.suppress(ModelLoadingError):
        return files_of(directory, family, quantization)
    return []


def _beside(directory: Path, files: Iterable[Path]) -> list[str]:
    """All files of the directory and of the folders in which these lie, by their paths below it.

    Loaders take what they find, and models have their weights in further files, so every file there counts.
    """
    folders = {directory, *(file.parent for file in files)}
    found = {path for folder in folders if folder.is_dir() for path in folder.iterdir() if path.is_file()}
    return sorted(path.relative_to(directory).as_posix() for path in found if path != directory / manifests.FILE_NAME)


def read_manifest(directory: Path) -> Manifest:
    """What a directory says that it holds; not whether that is so.

    Raises:
        ModelUnusable: it says nothing that can be read.
    """
    try:
        manifest = manifests.parse((directory / manifests.FILE_NAME).read_text())
    except OSError as error:
        raise ModelUnusable(directory, f"{manifests.FILE_NAME} cannot be read") from error
    except (ManifestError, UnicodeDecodeError) as error:
        raise ModelUnusable(directory, f"{manifests.FILE_NAME}: {error}") from error
    if manifest.name == SHIPPED.name and manifest != SHIPPED:
        raise ModelUnusable(directory, f"{manifests.FILE_NAME} is not that of this version")
    return manifest


def _check(directory: Path, path: str, digest: str, name: str) -> None:
    file = (directory / path).resolve()
    if not file.is_relative_to(directory.resolve()):
        raise ModelUnusable(directory, f"{path} points outside the directory", name)
    if not file.is_file():
        raise ModelUnusable(directory, f"{path} is missing", name)
    if _sha256(file) != digest:
        raise ModelUnusable(directory, f"{path} is damaged", name)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(READ_SIZE):
            digest.update(block)
    return digest.hexdigest()
