"""Every family that the service says it loads, with tiny models of random weights."""

from pathlib import Path

import numpy as np
import pytest
from cortex_testkit.tiny_models import BUILDERS
from cortex_transcriber.adapters.model_directory import ModelUnusable, describe, load_recogniser, verify
from cortex_transcriber.adapters.model_hub import HUB
from cortex_transcriber.adapters.onnx_asr_recogniser import FAMILIES
from cortex_transcriber.speech.recogniser import SAMPLE_RATE, Recognised, Recogniser

pytestmark = pytest.mark.unit

SECOND = np.random.default_rng(5).normal(scale=0.1, size=16_000).astype(np.float32)
SHORTER = SECOND[:5_000]
TELLS_NO_PROBABILITIES = {"whisper", "whisper-ort"}
TELLS_NO_TIMES = {*TELLS_NO_PROBABILITIES, "nemo-conformer-aed"}
LARGEST_STEP = 0.3
"""Seconds: T-one fills audio up to chunks of so many, and may hear something there."""


def timed(heard: Recognised) -> list[tuple[str, float]]:
    """Its words and when they began."""
    return [(word.text, word.start) for word in heard.words]


def tiny(directory: Path, family: str) -> Recogniser:
    """A model of the family, built, described, verified and loaded."""
    BUILDERS[family](directory)
    describe(directory, f"tiny-{family}", family, "en")
    return load_recogniser(directory)


def test_each_family_has_a_tiny_model() -> None:
    """A family that is added without one is said to load, and nobody knows."""
    assert set(BUILDERS) == set(FAMILIES)
    assert {model.family for model in HUB.values()} <= set(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_directory_of_the_family_is_heard_with(family: str, tmp_path: Path) -> None:
    """The same audio gives the same words, other audio others, and a confidence that is a probability."""
    recogniser = tiny(tmp_path, family)
    heard = recogniser.recognise(SECOND)
    assert heard == recogniser.recognise(SECOND)
    assert heard.text
    assert (heard.model, heard.language, recogniser.family) == (f"tiny-{family}", "en", family)
    assert 0 < heard.confidence <= 1
    assert (heard.tokens == 0) == (family in TELLS_NO_PROBABILITIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_neighbours_in_a_batch_change_nothing(family: str, tmp_path: Path) -> None:
    """Weights are floats here, so what is padded for a longer neighbour leaves the words as they are."""
    recogniser = tiny(tmp_path, family)
    together = recogniser.recognise_batch([SECOND, SHORTER])
    alone = [recogniser.recognise(samples) for samples in (SECOND, SHORTER)]
    assert [heard.text for heard in together] == [heard.text for heard in alone]
    assert [timed(heard) for heard in together] == [timed(heard) for heard in alone]


@pytest.mark.parametrize("family", FAMILIES)
def test_words_have_times_where_the_family_tells_them(family: str, tmp_path: Path) -> None:
    """They are the words of the text, in their order, none of them after the audio."""
    heard = tiny(tmp_path, family).recognise(SECOND)
    assert (not heard.words) == (family in TELLS_NO_TIMES)
    if heard.words:
        starts = [word.start for word in heard.words]
        assert " ".join(word.text for word in heard.words) == heard.text
        assert starts == sorted(starts)
        assert len(set(starts)) > 1 or len(starts) == 1
        assert 0 <= starts[0] <= starts[-1] <= len(SECOND) / SAMPLE_RATE + LARGEST_STEP
        assert all(0 < word.confidence <= 1 for word in heard.words)


@pytest.mark.parametrize("family", ["nemo-conformer-rnnt", "whisper"])
def test_files_of_a_quantization_are_taken_by_their_suffix(family: str, tmp_path: Path) -> None:
    """The manifest says which, so that a directory need not be named for it."""
    BUILDERS[family](tmp_path)
    for file in list(tmp_path.rglob("*.onnx")):
        file.rename(file.with_suffix(".int8.onnx"))
    describe(tmp_path, "tiny", family, "en", "int8")
    assert load_recogniser(tmp_path).recognise(SECOND).text


def test_files_in_folders_are_part_of_the_manifest(tmp_path: Path) -> None:
    """Vosk has its model in folders, and all of it is verified."""
    tiny(tmp_path, "vosk")
    assert set(verify(tmp_path).files) == {
        "am-onnx/decoder.onnx",
        "am-onnx/encoder.onnx",
        "am-onnx/joiner.onnx",
        "lang/tokens.txt",
    }
    (tmp_path / "am-onnx" / "joiner.onnx.data").write_bytes(b"weights")
    with pytest.raises(ModelUnusable, match=r"am-onnx/joiner.onnx.data is not in manifest.json"):
        load_recogniser(tmp_path)


def test_a_file_that_nobody_verified_is_not_loaded(tmp_path: Path) -> None:
    """A folder that the manifest is silent about must not bring the loader its model."""
    BUILDERS["vosk"](tmp_path)
    (tmp_path / "README").write_text("a model")
    describe(tmp_path, "tiny", "moonshine", "en")
    manifest = tmp_path / "manifest.json"
    manifest.write_text(manifest.read_text().replace("moonshine", "vosk"))
    with pytest.raises(ModelUnusable, match=r"am-onnx/decoder.onnx is not in the manifest"):
        load_recogniser(tmp_path)


def test_a_family_s_missing_file_is_told(tmp_path: Path) -> None:
    """What is not there when the directory is described is missed when it is loaded."""
    BUILDERS["nemo-conformer-tdt"](tmp_path)
    (tmp_path / "encoder-model.onnx").unlink()
    describe(tmp_path, "tiny", "nemo-conformer-tdt", "en")
    with pytest.raises(ModelUnusable, match=r"encoder-model.onnx"):
        load_recogniser(tmp_path)
