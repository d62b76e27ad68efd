"""One process with two models: each session is heard by the one of its language."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
import pytest_asyncio
from cortex.transcriber.v1 import transcriber_service_pb2 as pb
from cortex.transcriber.v1.events_pb2 import UtteranceTranscribed
from cortex.transcriber.v1.transcriber_service_pb2_grpc import TranscriberServiceStub
from cortex_testkit.environment import settings_from
from cortex_testkit.refusals import Refusal, refusal_of
from cortex_testkit.tiny_models import BUILDERS
from cortex_transcriber.adapters.model_directory import describe
from cortex_transcriber.settings import TranscriberSettings
from cortex_transcriber.speech.decoding import Pcm
from cortex_transcriber.wiring import transcriber_service

from services.transcriber.tests.hearing import read_wav
from services.transcriber.tests.integration.conftest import Events, NewBot
from services.transcriber.tests.integration.rooms import Bot, Neighbours
from services.transcriber.tests.recorded import wav

pytestmark = pytest.mark.integration

Code = grpc.StatusCode
FAMILIES = {"en": "nemo-conformer-ctc", "de": "gigaam-v3-ctc"}


@pytest.fixture(scope="module")
def directories(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Of an English and a German model of random weights."""
    made = []
    for language, family in FAMILIES.items():
        directory = tmp_path_factory.mktemp(language)
        BUILDERS[family](directory)
        describe(directory, f"tiny-{language}", family, language)
        made.append(directory)
    return made


@pytest.fixture(scope="module")
async def address(environment: dict[str, str], directories: list[Path]) -> AsyncIterator[str]:
    """Where the service with both models listens."""
    first, *more = map(str, directories)
    changed = {
        **environment,
        "CORTEX_MODEL_RECOGNISER": "model",
        "CORTEX_MODEL_DIR": first,
        "CORTEX_MODEL_MORE_DIRS": f'["{more[0]}"]',
    }
    async with transcriber_service(settings_from(TranscriberSettings, changed)) as listening:
        yield listening.address


@pytest_asyncio.fixture
async def transcriber(address: str) -> AsyncIterator[TranscriberServiceStub]:
    """The service."""
    async with grpc.aio.insecure_channel(address) as channel:
        yield TranscriberServiceStub(channel)


@pytest.fixture(scope="module")
def spoken(recordings: Path) -> Pcm:
    """A human reading of ten seconds."""
    return read_wav(recordings / "beckett.wav")[1]


async def test_sessions_of_two_languages_are_heard_at_the_same_time(
    new_bot: NewBot, around: Neighbours, project: str, events: Events, reading: list[bytes]
) -> None:
    """Each by the model of its language, one that says nothing by the first; what is stored says so."""
    sessions = {language: around.session(project, language) for language in ("en-GB", "de", "")}

    @asynccontextmanager
    async def opened(language: str) -> AsyncIterator[Bot]:
        async with new_bot() as bot:
            await bot.open(project, sessions[language])
            await bot.join()
            yield bot

    async with opened("en-GB") as english, opened("de") as german, opened("") as unsaid:
        for bot in (english, german, unsaid):
            await bot.hear(reading)
        for bot in (english, german, unsaid):
            await bot.until("final")
        for bot in (english, german, unsaid):
            await bot.say(end=pb.End())
            await bot.closed()
    assert english.texts == unsaid.texts
    assert english.texts != german.texts
    said = [event for event in await events() if isinstance(event, UtteranceTranscribed)]
    assert {(event.session_id, event.model, event.language) for event in said} == {
        (sessions["en-GB"], "tiny-en", "en"),
        (sessions["de"], "tiny-de", "de"),
        (sessions[""], "tiny-en", "en"),
    }


async def test_a_language_that_no_model_hears_is_refused_whole(
    bot: Bot, around: Neighbours, project: str, events: Events
) -> None:
    """The stream ends before it was opened, and nothing is stored."""
    await bot.open(project, around.session(project, "fr"))
    refusal = await refusal_of(bot.closed())
    assert refusal == Refusal(grpc.StatusCode.FAILED_PRECONDITION, "LANGUAGE_NOT_HEARD", ("open.session_id",))
    assert bot.answers == []
    assert await events() == []


async def test_both_are_listed(transcriber: TranscriberServiceStub, project: str) -> None:
    """By name, with what they hear."""
    answer = await transcriber.ListModels(pb.ListModelsRequest(project_id=project))
    assert [(model.name, model.language, model.family) for model in answer.models] == [
        ("tiny-de", "de", FAMILIES["de"]),
        ("tiny-en", "en", FAMILIES["en"]),
    ]


Ask = Callable[..., pb.RecognizeRequest]


@pytest.fixture
def ask(project: str, spoken: Pcm) -> Ask:
    """Makes requests that have the reading heard."""
    return lambda **fields: pb.RecognizeRequest(project_id=project, audio=wav(spoken), **fields)


async def test_a_recording_says_its_language_or_its_model(transcriber: TranscriberServiceStub, ask: Ask) -> None:
    """Either chooses, and both may be said as long as they agree."""
    by_language = await transcriber.Recognize(ask(language="de-CH"))
    assert by_language.model == "tiny-de"
    assert {said.language for said in by_language.utterances} == {"de"}
    assert await transcriber.Recognize(ask(model="tiny-de", language="de")) == by_language
    assert (await transcriber.Recognize(ask())).model == "tiny-en"


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"language": "fr"}, (Code.FAILED_PRECONDITION, "LANGUAGE_NOT_HEARD", "language")),
        ({"language": "German!"}, (Code.INVALID_ARGUMENT, "INVALID_INPUT", "language")),
        ({"model": "tiny-en", "language": "de"}, (Code.INVALID_ARGUMENT, "MODEL_HEARS_ANOTHER_LANGUAGE", "language")),
        ({"model": "tiny-fr", "language": "fr"}, (Code.NOT_FOUND, "MODEL_NOT_FOUND", "model")),
    ],
)
async def test_a_recording_that_nobody_can_hear_is_refused(
    transcriber: TranscriberServiceStub, ask: Ask, fields: dict[str, str], refusal: tuple[grpc.StatusCode, str, str]
) -> None:
    """What is wrong is named: the language, the model, or that they do not go together."""
    code, reason, field = refusal
    assert await refusal_of(transcriber.Recognize(ask(**fields))) == Refusal(code, reason, (field,))
