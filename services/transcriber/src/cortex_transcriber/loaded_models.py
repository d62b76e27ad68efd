"""The models that a process has loaded, and which of them hears whom."""

from collections.abc import Sequence
from dataclasses import dataclass

from cortex_eventing.errors import InvalidInput, NotFound, WrongState

from cortex_transcriber.speech.choosing import chosen, hears
from cortex_transcriber.stream.ports import Recognition


class LanguageNotHeard(WrongState):
    """No model that is loaded hears the language."""

    reason = "LANGUAGE_NOT_HEARD"

    def __init__(self, language: str, field: str) -> None:
        super().__init__(f"no model of this service hears {language}: see ListModels", field=field)


class OtherLanguage(InvalidInput):
    """The model that was named hears another language than the one that was named."""

    reason = "MODEL_HEARS_ANOTHER_LANGUAGE"

    def __init__(self) -> None:
        super().__init__("language must be one that the named model hears", field="language")


@dataclass(frozen=True)
class LoadedModel:
    """A model, and how it is given utterances.

    Attributes:
        name: what requests and utterances call it.
        language: BCP-47 tag, empty for several.
        family: the layout of its files.
        sample_rate: hertz that it was trained on.
        recognition: its words of speech.
    """

    name: str
    language: str
    family: str
    sample_rate: int
    recognition: Recognition


class LoadedModels:
    """All of them; the first one is chosen where nobody names a model or a language."""

    def __init__(self, models: Sequence[LoadedModel]) -> None:
        self._models = models
        self._by_name = {model.name: model for model in models}

    def of_language(self, language: str, field: str) -> LoadedModel:
        """The model that hears a language, the default for an empty one.

        Raises:
            LanguageNotHeard: none does; names the field that the language came by.
        """
        model = chosen(self._models, language)
        if model is None:
            raise LanguageNotHeard(language, field)
        return model

    def asked_for(self, name: str, language: str) -> LoadedModel:
        """The model of that name, or that hears that language; both may be empty.

        Raises:
            NotFound: none has that name.
            OtherLanguage: the named one hears another language.
            LanguageNotHeard: none is named, and none hears it.
        """
        if not name:
            return self.of_language(language, "language")
        if name not in self._by_name:
            raise NotFound("model", field="model")
        if language and not hears(self._by_name[name].language, language):
            raise OtherLanguage
        return self._by_name[name]

    def after(self, name: str, most: int) -> list[LoadedModel]:
        """So many, in the order of their names, beginning after this one."""
        return [self._by_name[each] for each in sorted(self._by_name) if each > name][:most]
