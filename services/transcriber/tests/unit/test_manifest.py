import json

import pytest
from cortex_transcriber.speech.manifest import Manifest, ManifestError, parse

pytestmark = pytest.mark.unit

MANIFEST = Manifest("m", "moonshine", "en", {"model.onnx": "0" * 64}, "int8")


def without(field: str) -> str:
    """The manifest without one of its fields."""
    fields = json.loads(MANIFEST.to_json())
    del fields[field]
    return json.dumps(fields)


def naming(path: str, digest: object = "0" * 64) -> str:
    """A manifest of one file."""
    return json.dumps({"name": "m", "family": "f", "language": "", "files": {path: digest}})


def test_a_manifest_reads_as_it_was_written() -> None:
    """What the set-up writes is what the service reads."""
    assert parse(MANIFEST.to_json()) == MANIFEST


@pytest.mark.parametrize("field", ["name", "family", "language", "files"])
def test_a_missing_field_is_named(field: str) -> None:
    """The message says which field is missing."""
    with pytest.raises(ManifestError, match=field):
        parse(without(field))


@pytest.mark.parametrize("text", ["", "[]", "{", '"manifest"'])
def test_anything_but_an_object_is_refused(text: str) -> None:
    """A cut or foreign file is no manifest."""
    with pytest.raises(ManifestError, match="JSON"):
        parse(text)


@pytest.mark.parametrize("path", ["/etc/passwd", "../model.onnx", "a/../../b"])
def test_a_file_outside_the_directory_is_refused(path: str) -> None:
    """A manifest cannot make the service read files elsewhere."""
    with pytest.raises(ManifestError, match="outside"):
        parse(naming(path))


@pytest.mark.parametrize("digest", ["", "0" * 63, 7])
def test_a_file_without_its_sha256_is_refused(digest: object) -> None:
    """Every file is verified, so every file has a digest."""
    with pytest.raises(ManifestError, match="sha256"):
        parse(naming("model.onnx", digest))
