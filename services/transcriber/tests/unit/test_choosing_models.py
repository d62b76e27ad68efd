"""Which of several models hears whom."""

from dataclasses import dataclass

import pytest
from cortex_eventing.errors import InvalidInput, NotFound, WrongState
from cortex_transcriber.loaded_models import LoadedModel, LoadedModels
from cortex_transcriber.speech.choosing import chosen

from services.transcriber.tests.streaming import Recognition

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class Model:
    """Something that hears a language."""

    language: str


def of(*languages: str) -> LoadedModels:
    """Loaded models of these languages, called by them."""
    return LoadedModels([LoadedModel(f"{each}-model", each, "scripted", 16_000, Recognition()) for each in languages])


@pytest.mark.parametrize(
    ("loaded", "wanted", "hears"),
    [
        (["en", "de"], "", "en"),
        (["de", "en"], "", "de"),
        (["en", "de"], "de", "de"),
        (["en", "de"], "DE", "de"),
        (["en", "en-GB"], "en-gb", "en-GB"),
        (["en-US", "en"], "en-GB", "en"),
        (["de", "en-US"], "en-GB", "en-US"),
        (["zh", "zh-Hans", "zh-Hant"], "zh-Hant-TW", "zh-Hant"),
        (["zh-Hans-CN", "zh"], "zh", "zh"),
        (["", "en"], "en-GB", "en"),
        (["en", ""], "fr", ""),
        (["", "fr"], "", ""),
        (["en", "de"], "fr", None),
        (["en"], "eng", None),
    ],
)
def test_the_nearest_model_hears_a_language(loaded: list[str], wanted: str, hears: str | None) -> None:
    """The tag itself, then its relatives, then a model of several languages; without a language the first."""
    model = chosen([Model(language) for language in loaded], wanted)
    assert (model and model.language) == hears


def test_the_first_of_equals_is_chosen() -> None:
    """Two models of one language: the operator's order decides."""
    first, second = Model("en"), Model("en")
    assert chosen([first, second], "en") is first


def test_a_language_that_nobody_hears_is_refused() -> None:
    """The refusal names the field that the language came by, and may be mended by another replica or later."""
    with pytest.raises(WrongState) as refused:
        of("en", "de").of_language("fr", "open.session_id")
    assert (refused.value.reason, refused.value.field) == ("LANGUAGE_NOT_HEARD", "open.session_id")


def test_a_name_chooses_whatever_the_order() -> None:
    """With a language it must be one that the model hears, dialects not told apart."""
    models = of("en", "de", "")
    assert models.asked_for("de-model", "").name == "de-model"
    assert models.asked_for("de-model", "de-CH").name == "de-model"
    assert models.asked_for("-model", "fr").name == "-model"
    assert models.asked_for("", "de").name == "de-model"


def test_a_name_and_a_language_that_contradict_are_refused() -> None:
    """Nobody can tell which of the two was meant."""
    with pytest.raises(InvalidInput) as refused:
        of("en", "de").asked_for("en-model", "de")
    assert refused.value.field == "language"


def test_an_unknown_name_is_not_found() -> None:
    """The field says which of the two it was."""
    with pytest.raises(NotFound) as refused:
        of("en").asked_for("fr-model", "fr")
    assert refused.value.field == "model"


def test_models_are_paged_by_name() -> None:
    """Whatever order they were loaded in."""
    models = of("en", "de", "fr")
    assert [model.name for model in models.after("", 2)] == ["de-model", "en-model"]
    assert [model.name for model in models.after("en-model", 2)] == ["fr-model"]
