"""Answers `Recognize` and `ListModels`."""

from datetime import timedelta
from functools import partial

from cortex.transcriber.v1.transcriber_service_pb2 import (
    ListModelsRequest,
    ListModelsResponse,
    Model,
    RecognizedUtterance,
    RecognizeRequest,
    RecognizeResponse,
)
from cortex_eventing.times import span
from cortex_runtime.paging import next_page_token, page_of

from cortex_transcriber.domain.words import timed
from cortex_transcriber.loaded_models import LoadedModel, LoadedModels
from cortex_transcriber.recordings.hearing import Recordings, Utterance


class RecognizeServicer:
    """The part of the service that stores nothing.

    Args:
        recordings: hears them.
        models: those that are loaded.
    """

    def __init__(self, recordings: Recordings, models: LoadedModels) -> None:
        self._recordings = recordings
        self._models = models

    async def Recognize(self, request: RecognizeRequest, _context: object) -> RecognizeResponse:  # noqa: N802
        """Hear a whole recording."""
        model = self._models.asked_for(request.model, request.language)
        recognise = partial(model.recognition.recorded, project_id=request.project_id)
        heard = await self._recordings.hear(request.audio, recognise)
        return RecognizeResponse(
            utterances=[_utterance(utterance) for utterance in heard.utterances],
            duration=span(timedelta(seconds=heard.duration)),
            model=model.name,
        )

    async def ListModels(self, request: ListModelsRequest, _context: object) -> ListModelsResponse:  # noqa: N802
        """The models, by name."""
        page = page_of(request, str)
        found = self._models.after(str(page.after[0]) if page.after else "", page.size + 1)
        shown = found[: page.size]
        token = next_page_token(request, shown[-1].name) if len(found) > len(shown) else ""
        return ListModelsResponse(models=[_model(model) for model in shown], next_page_token=token)


def _utterance(utterance: Utterance) -> RecognizedUtterance:
    start, end = timedelta(seconds=utterance.start), timedelta(seconds=utterance.end)
    return RecognizedUtterance(
        text=utterance.recognised.text,
        start_offset=span(start),
        end_offset=span(end),
        confidence=utterance.recognised.confidence,
        language=utterance.recognised.language,
        words=timed(utterance.recognised.words, start, end),
    )


def _model(model: LoadedModel) -> Model:
    return Model(name=model.name, language=model.language, family=model.family, sample_rate=model.sample_rate)
