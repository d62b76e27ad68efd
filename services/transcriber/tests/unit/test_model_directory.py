from pathlib import Path

import numpy as np
import pytest
from cortex_testkit.tiny_models import nemo_conformer_ctc
from cortex_transcriber.adapters.model_directory import ModelUnusable, describe, load_recogniser
from cortex_transcriber.shipped_model import MANIFEST

pytestmark = pytest.mark.unit

NOISE = np.random.default_rng(5).normal(scale=0.1, size=16_000).astype(np.float32)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A described directory of a tiny CTC model."""
    nemo_conformer_ctc(tmp_path)
    describe(tmp_path, "tiny", "nemo-conformer-ctc", "en")
    return tmp_path


def test_a_directory_of_an_onnx_asr_family_is_loaded(directory: Path) -> None:
    """Another family is a directory and a manifest, no code; its text and confidence come through the same port."""
    recogniser = load_recogniser(directory)
    heard = recogniser.recognise(NOISE)
    assert heard.text
    assert 0 < heard.confidence <= 1
    assert (heard.model, heard.language, recogniser.name) == ("tiny", "en", "tiny")


def test_a_batch_gives_one_text_for_each_utterance(directory: Path) -> None:
    """Padding of the shorter utterance adds no words to it."""
    recogniser = load_recogniser(directory)
    short = NOISE[:4_000]
    texts = [heard.text for heard in recogniser.recognise_batch([NOISE, short])]
    assert texts[0] == recogniser.recognise(NOISE).text
    assert len(texts[1]) < len(texts[0])


def test_a_missing_directory_says_what_to_run(tmp_path: Path) -> None:
    """The first thing a newcomer may see is a remedy."""
    with pytest.raises(ModelUnusable, match="make setup"):
        load_recogniser(tmp_path / "nowhere")


def test_a_damaged_file_is_named(directory: Path) -> None:
    """One changed byte keeps the service from starting."""
    file = directory / "model.onnx"
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(ModelUnusable, match=r"model.onnx is damaged"):
        load_recogniser(directory)


def test_a_missing_file_is_named(directory: Path) -> None:
    """A half copied directory is no model."""
    (directory / "vocab.txt").unlink()
    with pytest.raises(ModelUnusable, match=r"vocab.txt is missing"):
        load_recogniser(directory)


def test_a_file_that_the_manifest_does_not_know_is_refused(directory: Path) -> None:
    """Loaders take what they find, so what nobody verified must not lie there."""
    (directory / "config.json").write_text("{}")
    with pytest.raises(ModelUnusable, match=r"config.json is not in manifest.json"):
        load_recogniser(directory)


def test_a_link_out_of_the_directory_is_refused(directory: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A model cannot make the service read files elsewhere."""
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "vocab.txt"
    (directory / "vocab.txt").rename(elsewhere)
    (directory / "vocab.txt").symlink_to(elsewhere)
    with pytest.raises(ModelUnusable, match=r"vocab.txt points outside"):
        load_recogniser(directory)


def test_an_unknown_family_is_refused(directory: Path) -> None:
    """The message lists the families that there are."""
    describe(directory, "tiny", "parakeet", "en")
    with pytest.raises(ModelUnusable, match="nemo-conformer-ctc"):
        load_recogniser(directory)


def test_a_file_that_is_no_model_is_refused(directory: Path) -> None:
    """What the runtime cannot load is an error of the same kind."""
    (directory / "model.onnx").write_bytes(b"not a model")
    describe(directory, "tiny", "nemo-conformer-ctc", "en")
    with pytest.raises(ModelUnusable, match="could not load"):
        load_recogniser(directory)


def test_the_shipped_model_is_held_to_this_versions_digests(directory: Path) -> None:
    """Its manifest cannot be rewritten to fit damaged files."""
    describe(directory, MANIFEST.name, MANIFEST.family, MANIFEST.language)
    with pytest.raises(ModelUnusable, match="not that of this version"):
        load_recogniser(directory)
