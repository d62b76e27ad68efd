"""The models that a process has loaded."""

from collections.abc import Sequence
from dataclasses import dataclass

from cortex_eventing.errors import NotFound

from cortex_transcriber.recordings.ports import Recognise


@dataclass(frozen=True)
class LoadedModel:
    """A model, and how it is given the utterances of recordings.

    Attributes:
        name: what requests and utterances call it.
        language: BCP-47 tag, empty for several.
        family: the layout of its files.
        sample_rate: hertz that it was trained on.
        recognise: the words of an utterance.
    """

    name: str
    language: str
    family: str
    sample_rate: int
    recognise: Recognise


class LoadedModels:
    """All of them; the first one is chosen where nobody names any."""

    def __init__(self, models: Sequence[LoadedModel]) -> None:
        self._default = models[0]
        self._by_name = {model.name: model for model in models}

    def named(self, name: str) -> LoadedModel:
        """The model of that name, the default for an empty one. Raises NotFound."""
        if not name:
            return self._default
        if name not in self._by_name:
            raise NotFound("model", field="model")
        return self._by_name[name]

    def after(self, name: str, most: int) -> list[LoadedModel]:
        """So many, in the order of their names, beginning after this one."""
        return [self._by_name[each] for each in sorted(self._by_name) if each > name][:most]
