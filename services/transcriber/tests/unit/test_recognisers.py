"""Which models a process loads."""

import json
import sys
from pathlib import Path

import pytest
from cortex_runtime import logs
from cortex_runtime.failures import CannotStart
from cortex_testkit.tiny_models import nemo_conformer_ctc
from cortex_transcriber.adapters.model_directory import describe
from cortex_transcriber.adapters.model_loader import ModelLoader
from cortex_transcriber.adapters.recognisers import recogniser_of, recognisers_of
from cortex_transcriber.settings import ModelSettings
from prometheus_client import generate_latest

pytestmark = pytest.mark.unit


def tiny(directory: Path, language: str, name: str = "") -> Path:
    """The directory of a model of random weights."""
    directory.mkdir()
    nemo_conformer_ctc(directory)
    describe(directory, name or f"tiny-{language}", "nemo-conformer-ctc", language)
    return directory


@pytest.fixture
def settings(tmp_path: Path) -> ModelSettings:
    """Two models."""
    return ModelSettings(dir=tiny(tmp_path / "one", "en"), more_dirs=(tiny(tmp_path / "two", "de"),), measure=False)


def test_all_are_loaded_and_the_default_comes_first(settings: ModelSettings) -> None:
    """The order is that of the settings."""
    assert [recogniser.name for recogniser in recognisers_of(settings).recognisers] == ["tiny-en", "tiny-de"]


def test_two_of_one_name_keep_the_process_from_starting(settings: ModelSettings, tmp_path: Path) -> None:
    """Requests and utterances name models: the error says which setting to mend."""
    twin = tiny(tmp_path / "twin", "en")
    with pytest.raises(CannotStart, match=r"CORTEX_MODEL_MORE_DIRS.*tiny-en"):
        recognisers_of(settings.model_copy(update={"more_dirs": (twin,)}))


def test_a_damaged_one_keeps_the_process_from_starting(settings: ModelSettings) -> None:
    """A session of its language would be refused for no reason that its bot could know."""
    (settings.more_dirs[0] / "vocab.txt").write_text("")
    with pytest.raises(CannotStart, match=r"two.*vocab.txt is damaged.*CORTEX_MODEL_MORE_DIRS"):
        recognisers_of(settings)


def test_one_recording_loads_one_model(settings: ModelSettings) -> None:
    """The one for its language, and none that nobody asked for: the other may even be damaged."""
    (settings.dir / "vocab.txt").write_text("")
    found = recogniser_of(settings, "de-CH")
    assert found
    assert [recogniser.name for recogniser in found.recognisers] == ["tiny-de"]
    assert recogniser_of(settings, "fr") is None


def test_the_scripted_one_hears_english() -> None:
    """Tests choose it by a setting, and it is chosen from like any other."""
    settings = ModelSettings(recogniser="scripted")
    assert [recogniser.name for recogniser in recognisers_of(settings).recognisers] == ["scripted"]
    assert recogniser_of(settings, "de") is None


def test_weights_without_dynamic_scales_may_be_batched(settings: ModelSettings) -> None:
    """Floats are; a suffix of a quantization, or an operator that measures scales, says no."""
    assert ModelLoader(settings.dir).batches
    describe(settings.dir, "tiny-en", "nemo-conformer-ctc", "en", "int8")
    assert not ModelLoader(settings.dir).batches
    (settings.dir / "model.onnx").write_bytes(b"\x0f DynamicQuantizeLinear")
    describe(settings.dir, "tiny-en", "nemo-conformer-ctc", "en")
    assert not ModelLoader(settings.dir).batches


def test_a_variant_is_loaded_anew_for_other_threads_only(settings: ModelSettings) -> None:
    """Batches are a matter of how the same model is called."""
    loader = ModelLoader(settings.dir)
    pairs = loader.load(1, 2)
    assert pairs.batch_size == 2
    assert loader.load(1, 4).batch_size == 4
    assert pairs.batch_size == 2
    assert loader.load(2, 1).name == "tiny-en"


def test_the_settings_may_fix_the_whole_plan(settings: ModelSettings, capsys: pytest.CaptureFixture[str]) -> None:
    """Then nothing is measured; how the models are run is told all the same."""
    logs.configure("transcriber", file=sys.stderr)
    fixed = settings.model_copy(update={"workers": 3, "threads": 2, "batch": 4})
    loaded = recognisers_of(fixed)
    assert loaded.workers == 3
    assert [recogniser.batch_size for recogniser in loaded.recognisers] == [4, 4]
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["action"], line["model"], line["workers"]) for line in told] == [
        ("plan_chosen", "tiny-en", 3),
        ("plan_chosen", "tiny-de", 3),
    ]
    assert generate_latest().count(b'cortex_transcriber_model_threads{model="tiny-de"} 2.0') == 1
