"""What a model directory says about itself: `manifest.json` beside the model's files."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Final

FILE_NAME: Final = "manifest.json"
SHA256_DIGITS: Final = 64


class ManifestError(ValueError):
    """A manifest that cannot be read; the message names the field and the rule."""


@dataclass(frozen=True)
class Manifest:
    """Name, family and files of a model.

    Attributes:
        name: what finals and `ListModels` call it.
        family: which adapter loads it: `moonshine`, or a model type of onnx-asr such as `nemo-conformer-ctc`.
        language: BCP-47 tag, or empty for a model that hears several.
        files: sha256 in hexadecimal of each file, by its path below the directory.
        quantization: suffix of the files for onnx-asr, such as `int8`; empty for none.
    """

    name: str
    family: str
    language: str
    files: Mapping[str, str]
    quantization: str = ""

    def to_json(self) -> str:
        """The text of `manifest.json`."""
        return json.dumps(asdict(self), indent=2) + "\n"


def parse(text: str) -> Manifest:
    """Read a manifest.

    Raises:
        ManifestError: when it is no JSON object, lacks a field, or names a file outside its directory.
    """
    try:
        fields = json.loads(text)
    except ValueError as error:
        raise ManifestError("it is not JSON") from error
    if not isinstance(fields, dict):
        raise ManifestError("it is not a JSON object")
    words = {key: _word(fields, key) for key in ("name", "family", "language")}
    return Manifest(**words, files=_files(fields.get("files")), quantization=str(fields.get("quantization", "")))


def _word(fields: Mapping[str, object], key: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str):
        raise ManifestError(f"`{key}` must be a string")
    return value


def _files(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not value:
        raise ManifestError("`files` must name at least one file")
    for path, digest in value.items():
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            raise ManifestError(f"`files` names {path!r}, which lies outside the directory")
        if not isinstance(digest, str) or len(digest) != SHA256_DIGITS:
            raise ManifestError(f"`files` must give the sha256 of {path!r} in hexadecimal")
    return dict(value)
