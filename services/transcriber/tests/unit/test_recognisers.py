"""Which models a process loads."""

from pathlib import Path

import pytest
from cortex_runtime.failures import CannotStart
from cortex_testkit.tiny_models import nemo_conformer_ctc
from cortex_transcriber.adapters.model_directory import describe
from cortex_transcriber.adapters.recognisers import recogniser_of, recognisers_of
from cortex_transcriber.settings import ModelSettings

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
    return ModelSettings(dir=tiny(tmp_path / "one", "en"), more_dirs=(tiny(tmp_path / "two", "de"),))


def test_all_are_loaded_and_the_default_comes_first(settings: ModelSettings) -> None:
    """The order is that of the settings."""
    assert [recogniser.name for recogniser in recognisers_of(settings)] == ["tiny-en", "tiny-de"]


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
    assert found.name == "tiny-de"
    assert recogniser_of(settings, "fr") is None


def test_the_scripted_one_hears_english() -> None:
    """Tests choose it by a setting, and it is chosen from like any other."""
    settings = ModelSettings(recogniser="scripted")
    assert [recogniser.name for recogniser in recognisers_of(settings)] == ["scripted"]
    assert recogniser_of(settings, "de") is None
